"""How sure a model says it is of each class, as it is served."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import layers

SIGNATURE = "confidence_rule"


@dataclasses.dataclass(frozen=True)
class ConfidenceRule:
    """From logits to one confidence a class, each in [0, 1].

    Formula: softmax: `exp(z_k / T) / sum_i exp(z_i / T)`; rbf: `min(exp(z_k), 1)`.

    Args:
        kind: "softmax" or "rbf".
        temperature: T > 0, of the softmax.
    """

    kind: str = "softmax"
    temperature: float = 1.0

    def logarithms(self, logits: tf.Tensor) -> tf.Tensor:
        """Logarithms of the confidences: float32 tensor of the logits' shape (batch, classes).

        They still tell classes apart, and have a gradient, where the confidences are all 0 or 1.
        """
        if self.kind == "rbf":
            return tf.minimum(logits, 0.0)
        return tf.nn.log_softmax(logits / self.temperature, axis=-1)


def from_rule(rule: layers.RejectionRule | None) -> ConfidenceRule:
    """The `ConfidenceRule` of a `layers.RejectionRule`; softmax where a model has none."""
    return ConfidenceRule(rule.confidence, rule.temperature) if rule else ConfidenceRule()


def from_saved_model(root: Any) -> ConfidenceRule | None:
    """The `ConfidenceRule` in the signature that `export` writes, or None where it tells none.

    Args:
        root: what `tf.saved_model.load` returned.
    """
    function: Any = getattr(root, "signatures", {}).get(SIGNATURE)
    outputs = getattr(function, "structured_outputs", {})
    if set(outputs) != {"kind", "temperature"} or function.structured_input_signature[1]:
        return None
    settings = function()
    kind, temperature = settings["kind"].numpy(), float(settings["temperature"])
    known = kind in (b"softmax", b"rbf") and np.isfinite(temperature) and temperature > 0
    return ConfidenceRule(kind.decode(), temperature) if known else None

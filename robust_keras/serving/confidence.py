"""How sure a model says it is of each class, as it is served."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

SIGNATURE = "confidence_rule"
_TOLERANCE = 1e-3
# Below this a probability is too coarse a float32 to tell a temperature from.
_TELLING = 1e-6


@dataclasses.dataclass(frozen=True)
class ConfidenceRule:
    """From logits to one confidence a class, each in [0, 1].

    Formula: softmax: `exp(z_k / T) / sum_i exp(z_i / T)`; rbf: `min(exp(z_k / T), 1)`.

    Args:
        kind: "softmax" or "rbf".
        temperature: T > 0.
    """

    kind: str = "softmax"
    temperature: float = 1.0

    def logarithms(self, logits: tf.Tensor) -> tf.Tensor:
        """Logarithms of the confidences: float32 tensor of the logits' shape (batch, classes).

        They still tell classes apart, and have a gradient, where the confidences are all 0 or 1.
        """
        scaled = logits / self.temperature
        if self.kind == "rbf":
            return tf.minimum(scaled, 0.0)
        return tf.nn.log_softmax(scaled, axis=-1)


def rule_signature(kind: str, temperature: float) -> Callable:
    """A function without arguments that tells an export's rule, to be exported with it.

    Args:
        kind: "softmax" or "rbf".
        temperature: T > 0.
    """

    def settings():
        return {
            "kind": tf.constant(kind),
            "temperature": tf.constant(temperature, tf.float64),
        }

    return settings


def from_rule(rule: Any) -> ConfidenceRule:
    """The `ConfidenceRule` of a `layers.RejectionRule`; softmax where a model has none."""
    return ConfidenceRule(rule.confidence, rule.temperature) if rule else ConfidenceRule()


def from_saved_model(root: Any, logits: Any, images: np.ndarray) -> ConfidenceRule:
    """The `ConfidenceRule` of a loaded SavedModel, as it tells it itself.

    Exports from before there was a signature for that are asked about a few images.

    Args:
        root: what `tf.saved_model.load` returned.
        logits: array (images, classes), the model's logits for the images.
        images: float32 array (images, height, width, channels).

    Returns:
        A `ConfidenceRule`; softmax at temperature 1 for a model without the outputs that `export`
        writes.
    """
    told = _told(root)
    if told is not None:
        return told
    served: Any = getattr(root, "signatures", {}).get("serving_default")
    scores = np.asarray(logits, np.float64)
    if not _is_ours(served, scores.shape[-1]):
        return ConfidenceRule()
    answers = served(images=tf.constant(images))
    probabilities = np.asarray(answers["probabilities"], np.float64)
    confidence = np.asarray(answers["confidence"], np.float64)
    rbf = np.minimum(np.exp(np.minimum(scores.max(axis=-1), 0.0)), 1.0)
    if _agree(rbf, confidence) and not _agree(probabilities.max(axis=-1), confidence):
        return ConfidenceRule("rbf")
    return ConfidenceRule("softmax", _temperature(scores, probabilities))


def _told(root):
    """The rule in the signature that `export` writes, or None where there is none to be read."""
    function = getattr(root, "signatures", {}).get(SIGNATURE)
    outputs = getattr(function, "structured_outputs", {})
    if set(outputs) != {"kind", "temperature"} or function.structured_input_signature[1]:
        return None
    settings = function()
    kind, temperature = settings["kind"].numpy(), float(settings["temperature"])
    known = kind in (b"softmax", b"rbf") and np.isfinite(temperature) and temperature > 0
    return ConfidenceRule(kind.decode(), temperature) if known else None


def _is_ours(served, classes):
    """Whether a signature has the input and the outputs that `export` writes."""
    outputs = getattr(served, "structured_outputs", {})
    if not {"probabilities", "confidence"} <= set(outputs):
        return False
    inputs = served.structured_input_signature[1]
    shapes = [tuple(outputs[name].shape) for name in ("probabilities", "confidence")]
    open_batch = set(inputs) == {"images"} and inputs["images"].shape[0] is None
    return open_batch and shapes == [(None, classes), (None,)]


def _temperature(scores, probabilities):
    """T of a softmax: least squares on the differences between logits and between logarithms."""
    if _agree(_softmax(scores), probabilities):
        return 1.0
    seen = (probabilities > _TELLING).astype(np.float64)
    counts = np.maximum(seen.sum(axis=-1, keepdims=True), 1.0)
    logarithms = np.log(np.maximum(probabilities, _TELLING))
    left, right = (
        (values - (values * seen).sum(axis=-1, keepdims=True) / counts) * seen
        for values in (scores, logarithms)
    )
    product = (left * right).sum()
    temperature = float((left * left).sum() / product) if product > 0 else 1.0
    return temperature if _agree(_softmax(scores / temperature), probabilities) else 1.0


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _agree(left, right):
    return np.allclose(left, right, rtol=0.0, atol=_TOLERANCE)

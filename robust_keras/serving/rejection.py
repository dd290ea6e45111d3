"""The rule by which a model declines to answer: written into a SavedModel, and found again."""

import dataclasses
import typing
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras import layers
from robust_keras.serving import confidence
from robust_keras.serving.endpoint import Endpoint

SIGNATURE = "rejection_rule"


@dataclasses.dataclass(frozen=True)
class Rejection:
    """What a loaded model does about images that it should not answer.

    Args:
        nonsense_classes: how many of its classes, the last ones, mean nonsense.
        threshold: lowest confidence that it accepts, in [0, 1).
        rejected: function from float32 images (batch, height, width, channels) to bool (batch,).
    """

    nonsense_classes: int
    threshold: float
    rejected: typing.Callable


def rule_of(model: Any) -> Any:
    """The `layers.RejectionRule` at the end of a model, or of the model at its end, or None."""
    last = model
    while getattr(last, "layers", None):
        last = last.layers[-1]
    return last if isinstance(last, layers.RejectionRule) else None


def served_rule(model: Any, temperature: float | None, kind: str | None) -> layers.RejectionRule:
    """The `layers.RejectionRule` by which a model is served.

    Args:
        model: `keras.Model`; one without a rule at its end rejects nothing.
        temperature: T, or None for that of the rule at its end.
        kind: "softmax" or "rbf", or None for that of the rule at its end.
    """
    own = rule_of(model) or layers.RejectionRule(threshold=None)
    return layers.RejectionRule(
        own.nonsense_classes,
        own.threshold,
        own.confidence if kind is None else kind,
        own.temperature if temperature is None else temperature,
        dtype="float32",
    )


def signatures(rule: layers.RejectionRule) -> dict[str, Callable]:
    """Functions without arguments, by the signature's name, that tell a rule in an export."""

    def confidence_rule():
        return {
            "kind": tf.constant(rule.confidence),
            "temperature": tf.constant(rule.temperature, tf.float64),
        }

    def rejection_rule():
        return {
            "nonsense_classes": tf.constant(rule.nonsense_classes, tf.int32),
            "threshold": tf.constant(rule.threshold, tf.float64),
        }

    rejecting = {} if rule.threshold is None else {SIGNATURE: rejection_rule}
    return {confidence.SIGNATURE: confidence_rule, **rejecting}


def from_keras(rule: Any, endpoint: Endpoint, output: Any) -> Any:
    """The `Rejection` of a Keras model, or None where it rejects nothing.

    Args:
        rule: a `layers.RejectionRule` or None.
        endpoint: `Endpoint` of images in [0, 1] whose output is what the rule hands on.
        output: name of that output.
    """
    if rule is None or rule.threshold is None:
        return None
    function = tf.function(
        lambda images: rule.rejected(endpoint.run(images)[output]),
        reduce_retracing=True,
        autograph=False,
    )
    return Rejection(rule.nonsense_classes, rule.threshold, function)


def from_saved_model(root: Any) -> Any:
    """The `Rejection` of a loaded SavedModel that `export` wrote, or None where it has no rule."""
    signatures = getattr(root, "signatures", {})
    served: Any = signatures.get("serving_default")
    if SIGNATURE not in signatures or "rejected" not in getattr(served, "structured_outputs", {}):
        return None
    settings = signatures[SIGNATURE]()
    return Rejection(
        int(settings["nonsense_classes"]),
        float(settings["threshold"]),
        lambda images: served(images=images)["rejected"],
    )

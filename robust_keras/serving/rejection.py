"""The rule by which a model declines to answer: written into a SavedModel, and found again."""

import dataclasses
import typing
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras import layers
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


def rule_signature(rule: Any) -> Callable:
    """A function without arguments that tells the rule's settings, to be exported."""

    def settings():
        return {
            "nonsense_classes": tf.constant(rule.nonsense_classes, tf.int32),
            "threshold": tf.constant(rule.threshold, tf.float64),
        }

    return settings


def rejected(rule: Any, scores: Any, confidences: tf.Tensor) -> tf.Tensor:
    """Which images an exported model rejects, bool (batch,).

    Args:
        rule: a `layers.RejectionRule`.
        scores: logits (batch, classes).
        confidences: (batch,), as the exported model tells them.
    """
    is_nonsense = tf.argmax(scores, axis=-1) >= scores.shape[-1] - rule.nonsense_classes
    # Said by itself: TensorFlow rewrites `not (a >= b)` as `a < b`.
    unsure = tf.logical_or(tf.math.is_nan(confidences), confidences < rule.threshold)
    return tf.logical_or(is_nonsense, unsure)


def from_keras(rule: Any, endpoint: Endpoint, output: Any) -> Any:
    """The `Rejection` of a Keras model, or None where it has no rule.

    Args:
        rule: a `layers.RejectionRule` or None.
        endpoint: `Endpoint` of images in [0, 1] whose output is what the rule hands on.
        output: name of that output.
    """
    if rule is None:
        return None
    function = tf.function(
        lambda images: rule.rejected(endpoint.run(images)[output]), reduce_retracing=True
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

"""The functions that an exported model answers with."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras import layers
from robust_keras.serving.class_scores import class_scores

# Rounding may leave a pixel this far outside [0, 1]; bytes divided by 255 never do.
PIXEL_TOLERANCE = 1e-6


def signatures(model: Any, answers: Any, rule: layers.RejectionRule) -> dict[str, Callable]:
    """The functions of an export that take images, by name.

    Args:
        model: function from images to one float tensor (batch, columns).
        answers: array (images, columns), its answers to some images.
        rule: by which it is served.
    """

    def logits(images):
        return {"logits": class_scores(model(images), answers)}

    def serving_default(images):
        scores = _no_number_of_no_number(images, logits(images)["logits"])
        told = {
            "probabilities": rule.probabilities(scores),
            "classes": tf.argmax(scores, axis=-1, output_type=tf.int64),
            "confidence": rule.confidences(scores),
            "valid": valid(images),
        }
        if rule.threshold is not None:
            told["rejected"] = rule.rejected(scores)
        return told

    return {"serving_default": serving_default, "logits": logits}


def valid(images: tf.Tensor) -> tf.Tensor:
    """Which images are images: every pixel a number in [0, 1], to `PIXEL_TOLERANCE`; (batch,)."""
    # Compared this way round, NaN is not valid.
    inside = (images >= -PIXEL_TOLERANCE) & (images <= 1.0 + PIXEL_TOLERANCE)
    return tf.reduce_all(inside, axis=[1, 2, 3])


def _no_number_of_no_number(images, scores):
    """The scores, NaN for images with a pixel that is no number.

    Max pooling makes the lowest float32 of NaN, and what follows makes a confident class of that.
    """
    finite = tf.reduce_all(tf.abs(images) <= tf.float32.max, axis=[1, 2, 3])
    return tf.where(finite[:, None], scores, tf.constant(float("nan"), scores.dtype))

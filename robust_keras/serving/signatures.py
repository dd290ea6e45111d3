"""The functions that an exported model answers with."""

from typing import Any

import tensorflow as tf

from robust_keras import layers
from robust_keras.serving import confidence as confidence_rule
from robust_keras.serving import rejection
from robust_keras.serving.class_scores import class_scores

# Rounding may leave a pixel this far outside [0, 1]; bytes divided by 255 never do.
PIXEL_TOLERANCE = 1e-6


def signatures(model: Any, answers: Any, rule: Any, temperature: float, confidence: Any) -> tuple:
    """The functions of an export by name, with what they take.

    Args:
        model: function from images to one float tensor (batch, columns).
        answers: array (images, columns), its answers to some images.
        rule: the `layers.RejectionRule` at its end, or None.
        temperature: T of the softmax.
        confidence: "softmax" or "rbf".

    Returns:
        Two dicts from name to function: those of images, and those without arguments.
    """

    def logits(images):
        return {"logits": class_scores(model(images), answers)}

    def serving_default(images):
        scores = _no_number_of_no_number(images, logits(images)["logits"])
        probabilities = _probabilities(scores, temperature)
        confidences = _confidences(scores, probabilities, confidence)
        told = {
            "probabilities": probabilities,
            "classes": tf.argmax(scores, axis=-1, output_type=tf.int64),
            "confidence": confidences,
            "valid": valid(images),
        }
        if rule is not None:
            told["rejected"] = rejection.rejected(rule, scores, confidences)
        return told

    of_images = {"serving_default": serving_default, "logits": logits}
    settings = {confidence_rule.SIGNATURE: confidence_rule.rule_signature(confidence, temperature)}
    if rule is not None:
        settings[rejection.SIGNATURE] = rejection.rule_signature(rule)
    return of_images, settings


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


def _probabilities(scores, temperature):
    softmax = layers.TemperatureSoftmax(temperature=temperature, dtype="float32")
    return softmax(scores)


def _confidences(scores, probabilities, confidence):
    if confidence == "rbf":
        return tf.minimum(tf.exp(tf.reduce_max(scores, axis=-1)), 1.0)
    return tf.reduce_max(probabilities, axis=-1)

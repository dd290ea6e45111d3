"""Whether a gradient is that of the function, tried with small steps."""

from typing import Any

import numpy as np
import tensorflow as tf

# Lengths of the steps in the Euclidean norm: long ones meet curvature, short ones rounding.
_STEPS = (0.3, 0.1, 0.03)
# A sum in float32 is off by some units in its last place.
_ROUNDING = 16 * np.finfo(np.float32).eps


def disagreement(logits: Any, images: np.ndarray) -> float:
    """How far the gradient of the logits is from finite differences, relative to the larger one.

    For each image, the lead of its largest logit is followed in two directions: along its
    gradient, and along a random half of the gradient's components. Of the steps' lengths the
    median counts; where the gradient is zero, the worst: any change contradicts it.

    Args:
        logits: differentiable function from float32 images to (batch, classes).
        images: float32 array (images, height, width, channels).

    Returns:
        The median over images and directions, in [0, 1]; 0 is perfect. NaN if it is not a number.
    """
    images = tf.constant(images)
    weights, gradient, scale = _gradient_of_lead(logits, images)
    generator = np.random.default_rng(0)
    half = gradient * generator.integers(2, size=gradient.shape)
    errors = [
        _errors(logits, images, weights, gradient, _directions(part, generator), scale)
        for part in (gradient, half)
    ]
    return float(np.median(errors))


def _gradient_of_lead(logits, images):
    """Weights (images, classes) of the two largest logits, their gradient, the logits' size."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        values = logits(images)
        order = tf.argsort(values, axis=-1, direction="DESCENDING")
        first, second = (tf.one_hot(order[:, place], values.shape[-1]) for place in (0, 1))
        lead = tf.reduce_sum((first - second) * values)
    gradient = tape.gradient(lead, images, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    scale = float(tf.reduce_max(tf.abs(values)))
    return first - second, tf.cast(gradient, tf.float64).numpy(), scale


def _directions(gradient, generator):
    """The gradient's own direction, and a random one where it is zero."""
    random = generator.standard_normal(gradient.shape)
    flat = np.any(gradient != 0, axis=(1, 2, 3), keepdims=True)
    chosen = np.where(flat, gradient, random)
    return chosen / np.sqrt(np.sum(chosen**2, axis=(1, 2, 3), keepdims=True))


def _errors(logits, images, weights, gradient, directions, scale):
    """The relative error over the steps, (images,)."""
    slopes = np.sum(gradient * directions, axis=(1, 2, 3))

    def lead(step):
        moved = images + tf.cast(step * directions, tf.float32)
        return tf.reduce_sum(tf.cast(weights * logits(moved), tf.float64), axis=-1).numpy()

    errors = []
    for step in _STEPS:
        found = (lead(step) - lead(-step)) / (2 * step)
        least = _ROUNDING * scale / step
        size = np.maximum(np.maximum(np.abs(found), np.abs(slopes)), least)
        errors.append(np.abs(found - slopes) / np.where(size > 0, size, 1.0))
    return np.where(slopes == 0, np.max(errors, axis=0), np.median(errors, axis=0))

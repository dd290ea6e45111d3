"""What the first passes of a model tell of the time that its evaluation takes."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable
from robust_keras.attacks.loops.losses import margin
from robust_keras.data.datasets import ImageSplit
from robust_keras.time_spent import FirstLook

# Enough to tell how many images an attack will leave, few enough to cost nothing.
_IMAGES = 64


def first_look(
    classifier: Attackable, split: ImageSplit, norm: str, now: Callable[[], float]
) -> FirstLook:
    """Times passes of a model, and tells how far its images are from another class, about.

    Formula: to first order an image falls at `margin / ||gradient of the margin||`, in the dual
    norm: that of l1 for linf, of l2 for l2.

    Args:
        classifier: an `Attackable`.
        split: the `ImageSplit` that is attacked.
        norm: "linf" or "l2".
        now: clock in seconds.
    """
    looked_at = split.select(slice(_IMAGES))
    images, labels = looked_at.float_images(), looked_at.labels
    batch = tf.constant(images), tf.constant(labels, tf.int32)
    single = batch[0][:1], batch[1][:1]

    def forward(images, labels):
        return classifier.logits(images)

    _timed(forward, batch, now)
    forwards = _line(forward, single, batch, now)
    if classifier.gradient_error is not None:
        return FirstLook(forwards)
    slopes = _slopes(classifier.logits, images.shape[1:], norm)
    building, (lead, slope) = _timed(slopes, batch, now)
    with np.errstate(over="ignore"):
        radii = np.nan_to_num(np.where(lead > 0.0, lead / np.maximum(slope, 1e-30), 0.0))
    return FirstLook(forwards, _line(slopes, single, batch, now), building, tuple(np.sort(radii)))


def _slopes(logits, image_shape, norm):
    """Function from images and labels to the lead of the label and the slope of its loss."""

    def function(images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            lead = -margin(labels, logits(images))
        gradient = tape.gradient(lead, images, unconnected_gradients="zero")
        order = 1 if norm == "linf" else 2
        return lead, tf.norm(tf.reshape(gradient, (tf.shape(images)[0], -1)), ord=order, axis=-1)

    signature = tf.TensorSpec((None, *image_shape)), tf.TensorSpec((None,), tf.int32)
    return compiled.function(function, signature)


def _line(function, single, batch, now):
    """Seconds of a pass whatever its images, and of an image more."""
    _timed(function, single, now)
    one, many = (min(_timed(function, data, now)[0] for _ in range(2)) for data in (single, batch))
    each = max(many - one, 0.0) / max(len(batch[0]) - 1, 1)
    return max(one - each, 0.0), each


def _timed(function, data, now):
    began = now()
    found = tf.nest.map_structure(np.asarray, function(*data))
    return now() - began, found

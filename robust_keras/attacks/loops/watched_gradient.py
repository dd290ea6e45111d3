"""The gradient that a library's attack asks for, and what can be learnt on the way."""

from typing import Any

import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.losses import cross_entropy, unit_gradient


class WatchedGradient:
    """Called in place of CleverHans' `compute_gradient`; keeps the points that fooled the model.

    Args:
        classifier: has `logits`.

    Attributes:
        fooling: None before the first call, then float32 tensor: for each image the first point
            that was misclassified, else the last point.
        fooled: None, then bool tensor (batch,).
    """

    def __init__(self, classifier: Attackable):
        self._function = compiled.graph(classifier, _traced, tuple(classifier.image_shape))
        self.fooling: Any = None
        self.fooled: Any = None

    def __call__(self, model_fn, loss_fn, points, labels, targeted):
        """The gradient of the cross-entropy at the points; of its negative where it is targeted."""
        gradient, wrong = self._function(points, labels)
        if self.fooled is None:
            self.fooling, self.fooled = points, wrong
        else:
            column = tf.reshape(self.fooled, (-1, 1, 1, 1))
            self.fooling = tf.where(column, self.fooling, points)
            self.fooled |= wrong
        return -gradient if targeted else gradient

    def fooling_or(self, points: tf.Tensor) -> tf.Tensor:
        """The first point that fooled the model where there was one, else the given points."""
        return tf.where(self.fooled[:, None, None, None], self.fooling, points)


def _traced(logits, num_classes, image_shape):
    def function(points, labels):
        with tf.GradientTape() as tape:
            tape.watch(points)
            values = logits(unit_gradient(points))
            total = cross_entropy(labels=labels, logits=values)
        gradient = tape.gradient(total, points, unconnected_gradients="zero")
        return gradient, is_fooled(values, labels)

    signature = [
        tf.TensorSpec((None, *image_shape), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]
    return compiled.function(function, signature)


def looks(steps: int) -> list[int]:
    """The steps after which images that are fooled leave the batch, the last one included.

    Most fall early or not at all, so looks are close together first: after 2, 4, 8, 12, 16, ...

    Returns:
        List of whole numbers, rising to `steps`.
    """
    return [mark for mark in (2, *range(4, steps, 4)) if mark < steps] + [steps]

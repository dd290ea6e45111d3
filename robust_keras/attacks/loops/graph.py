"""What the compiled graphs of all attacks have alike."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


class Graph:
    """Compiled functions for one classifier; a subclass takes its own settings after these.

    Args:
        logits: function from images to (batch, num_classes).
        num_classes: number of classes.
        image_shape: (height, width, channels).
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...]):
        self._logits = logits
        self._num_classes = num_classes
        self._image_shape = image_shape

    def answers(self, points: tf.Tensor) -> tf.Tensor:
        """The logits, of a shape that a SavedModel may have lost."""
        return tf.ensure_shape(self._logits(points), (None, self._num_classes))


def repeat(step: Callable, state: Any, done: Callable, last: Any, first: Any = 0) -> tuple:
    """Takes the steps first ... last - 1, or fewer if all images are done with before.

    Args:
        step: function from (number of the step, state) to the next state.
        state: nested structure of tensors.
        done: function from the state to a bool tensor (batch,).
        last: int32 scalar.
        first: the same.

    Returns:
        `(steps taken, state)`.
    """

    def unfinished(index, state):
        return (index < last) & ~tf.reduce_all(done(state))

    def body(index, state):
        return index + 1, step(index, state)

    index, state = tf.while_loop(unfinished, body, (tf.convert_to_tensor(first), state))
    return index - first, state

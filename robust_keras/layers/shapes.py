"""Shapes that are known before the batch is."""

from typing import Any

import tensorflow as tf


def reshaped(values: tf.Tensor, shape: Any, static: tuple[int | None, ...]) -> tf.Tensor:
    """Returns the values in another shape, of which the static part is declared, too.

    `tf.ensure_shape` would leave an operation in the graph, which TensorFlow Lite does not have.

    Args:
        values: a tensor.
        shape: the new shape, an int32 tensor.
        static: what is known of it, with None for the rest.
    """
    outputs = tf.reshape(values, shape)
    if not tf.executing_eagerly():
        outputs.set_shape(static)
    return outputs

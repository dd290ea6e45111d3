"""Channels sorted in pairs: an activation that keeps the length of every gradient."""

import keras
import tensorflow as tf

from robust_keras.layers.float_layer import FloatLayer


@keras.saving.register_keras_serializable(package="robust_keras")
class MaxMin(FloatLayer):
    """The larger one of two channels, and the smaller one: GroupSort of pairs.

    Channel c is paired with channel c + channels / 2; the larger values come first, then the
    smaller ones. Its Jacobian is a permutation, so that it is 1-Lipschitz in every norm and loses
    nothing of a gradient, as a ReLU loses half.

    Input shape: (batch, ..., channels), an even number of channels. Output shape: the input's.

    Raises:
        ValueError: the number of channels is odd or unknown, or the input not floating point.

    Reference: Anil, Lucas and Grosse, "Sorting out Lipschitz function approximation", 2019, arXiv
    1811.05381.

    Example:
        >>> MaxMin()(tf.constant([[1.0, 2.0, 3.0, -2.0]])).numpy().tolist()
        [[3.0, 2.0, 1.0, -2.0]]
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Checks the number of channels; there are no weights."""
        channels = input_shape[-1]
        if channels is None or channels % 2:
            raise ValueError(
                f"`inputs` of layer '{self.name}' must have an even number of channels. "
                f"Received: input_shape={tuple(input_shape)}"
            )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Sorts each pair."""
        first, second = tf.split(self.widen(inputs), 2, axis=-1)
        larger, smaller = tf.maximum(first, second), tf.minimum(first, second)
        return self.narrow(tf.concat([larger, smaller], axis=-1))

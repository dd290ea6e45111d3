"""What a stage of a network comes to on a batch: bounds, and how linear ones go back through it."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from robust_keras.bounds.interval import Interval

Pull = Callable[[tf.Tensor], tuple[list[tf.Tensor], tf.Tensor]]


@dataclasses.dataclass(frozen=True)
class Relaxation:
    """A stage's bounds on a batch.

    Args:
        output: `Interval` of what comes out.
        pull: turns a linear lower bound in terms of the output into one in terms of the inputs:
            from float64 weights (batch, rows, ...) of the output's entries to `([weights of each
            input], constant)`, the constant being (batch, rows).
    """

    output: Interval
    pull: Pull


def total(values: tf.Tensor) -> tf.Tensor:
    """Sums (batch, rows, ...) to (batch, rows)."""
    shape = tf.concat([tf.shape(values)[:2], [-1]], 0)
    return tf.reduce_sum(tf.reshape(values, shape), axis=-1)


def pulled_through(
    function: Callable[[tf.Tensor], tf.Tensor], input_shape: tf.Tensor, weights: tf.Tensor
) -> tf.Tensor:
    """The transpose of a linear function, applied to weights of its output's entries.

    Args:
        function: linear, from a tensor (batch, ...) to another.
        input_shape: of that tensor.
        weights: float64 tensor (batch, rows, ...).

    Returns:
        float64 tensor (batch, rows, ...) over the function's input.
    """
    batch, rows = tf.shape(weights)[0], tf.shape(weights)[1]
    flat = tf.reshape(weights, tf.concat([[batch * rows], tf.shape(weights)[2:]], 0))
    zeros = tf.zeros(tf.concat([[batch * rows], input_shape[1:]], 0), tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(zeros)
        result = function(zeros)
    pulled = tape.gradient(result, zeros, output_gradients=flat)
    return tf.reshape(pulled, tf.concat([[batch, rows], input_shape[1:]], 0))

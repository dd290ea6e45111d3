"""Layers that are a matrix and a shift, whatever shape their matrix is written in."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.bounds.interval import ROUNDING, Interval


class Affine:
    """Bounds of `y = W x + b`, float32 rounding of the layer itself included.

    With centre c and radius r of the input, the output lies within `W c + b` plus or minus
    `|W| r`. A sum of n products in float32, in any order, is off by at most
    `n u / (1 - n u) (|W| |x| + |b|)` with u = 2^-24 (Higham, "Accuracy and Stability of Numerical
    Algorithms", 2002, section 3.1), which is added on both sides.

    Args:
        linear: x -> W x, on float64 tensors (batch, ...).
        absolute: x -> |W| x.
        shift: b, float64, broadcast to the output; 0.0 for none.
        magnitude: an upper bound of all that was added up to b, in absolute values.
        terms: n, of the longest sum.
        mixes: whether an output is a sum of several inputs.
    """

    def __init__(
        self,
        linear: Callable,
        absolute: Callable | None = None,
        *,
        shift: Any = 0.0,
        magnitude: tf.Tensor | None = None,
        terms: int = 1,
        mixes: bool = False,
    ):
        self.mixes, self.terms = mixes, terms
        self._linear = linear
        self._absolute = absolute or linear
        self._shift = tf.convert_to_tensor(shift, tf.float64)
        self._magnitude = tf.abs(self._shift) if magnitude is None else magnitude
        relative = (terms + 2) * ROUNDING
        self._rounding = relative / (1.0 - relative)

    def matrix(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """W, float64 (outputs, inputs), and b (outputs,), of inputs of a shape, all flattened."""
        size = math.prod(shape)
        basis = tf.reshape(tf.eye(size, dtype=tf.float64), [size, *shape])
        columns = self._linear(basis)
        shift = tf.broadcast_to(self._shift, columns.shape[1:])
        return tf.reshape(columns, [size, -1]).numpy().T, tf.reshape(shift, [-1]).numpy()

    def rounding(self, x: Interval) -> tf.Tensor:
        """How far float32 may be off, for inputs within an `Interval`."""
        return self._rounding * (self._absolute(x.magnitude) + self._magnitude)

    def relax(self, x: Interval) -> "AffineRelaxation":
        """The layer's bounds for inputs within an `Interval`."""
        centre = self._linear(x.centre) + self._shift
        radius = self._absolute(x.radius)
        error = self.rounding(x)
        bounds = Interval(centre - radius, centre + radius).widened(error)
        return AffineRelaxation(self._linear, tf.shape(x.lower), self._shift, error, bounds)


class AffineRelaxation:
    """An affine layer at work on a batch.

    Attributes:
        output: `Interval` of the layer's output.
    """

    def __init__(
        self, linear: Callable, input_shape: tf.Tensor, shift: Any, error: Any, output: Interval
    ):
        self.output = output
        self._linear, self._shape = linear, input_shape
        self._shift, self._error = shift, error

    def pull(self, weights: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Turns a linear lower bound in terms of the output into one in terms of the input.

        Args:
            weights: float64 tensor (batch, rows, ...), of the output's entries.

        Returns:
            `([weights of the input], constant)`, the constant being (batch, rows).
        """
        batch, rows = tf.shape(weights)[0], tf.shape(weights)[1]
        flat = tf.reshape(weights, tf.concat([[batch * rows], tf.shape(weights)[2:]], 0))
        zeros = tf.zeros(tf.concat([[batch * rows], self._shape[1:]], 0), tf.float64)
        with tf.GradientTape() as tape:
            tape.watch(zeros)
            result = self._linear(zeros)
        pulled = tape.gradient(result, zeros, output_gradients=flat)
        shape = tf.concat([[batch, rows], self._shape[1:]], 0)
        shift = tf.broadcast_to(self._shift, tf.shape(self._error)[1:])
        constant = total(weights * shift) - total(tf.abs(weights) * self._error[:, None])
        return [tf.reshape(pulled, shape)], constant


class Sum:
    """The sum of several tensors, as where a skip meets its branch."""

    mixes = True

    def relax(self, *inputs: Interval) -> "SumRelaxation":
        """The sum's bounds for inputs within `Interval`s."""
        lower = tf.add_n([x.lower for x in inputs])
        upper = tf.add_n([x.upper for x in inputs])
        error = len(inputs) * ROUNDING * tf.add_n([x.magnitude for x in inputs])
        return SumRelaxation(len(inputs), error, Interval(lower, upper).widened(error))


class SumRelaxation:
    """A sum at work on a batch; see `AffineRelaxation`."""

    def __init__(self, count: int, error: Any, output: Interval):
        self.output = output
        self._count, self._error = count, error

    def pull(self, weights: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """See `AffineRelaxation.pull`."""
        return [weights] * self._count, -total(tf.abs(weights) * self._error[:, None])


class Joined:
    """Tensors side by side along the last axis."""

    mixes = False

    def relax(self, *inputs: Interval) -> "JoinedRelaxation":
        """The bounds side by side."""
        output = Interval(
            tf.concat([x.lower for x in inputs], -1), tf.concat([x.upper for x in inputs], -1)
        )
        return JoinedRelaxation([x.lower.shape[-1] for x in inputs], output)


class JoinedRelaxation:
    """A concatenation at work on a batch; see `AffineRelaxation`."""

    def __init__(self, widths: Sequence[int], output: Interval):
        self.output = output
        self._widths = widths

    def pull(self, weights: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """See `AffineRelaxation.pull`."""
        nothing = tf.zeros(tf.shape(weights)[:2], tf.float64)
        return tf.split(weights, self._widths, axis=-1), nothing


def total(values: tf.Tensor) -> tf.Tensor:
    """Sums (batch, rows, ...) to (batch, rows)."""
    shape = tf.concat([tf.shape(values)[:2], [-1]], 0)
    return tf.reduce_sum(tf.reshape(values, shape), axis=-1)

"""Layers that are a matrix and a shift, whatever shape their matrix is written in."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.bounds.interval import Interval
from robust_keras.bounds.relaxation import Relaxation, pulled_through, total


class Affine:
    """Bounds of `y = W x + b`, float32 rounding of the layer itself included.

    With centre c and radius r of the input, the output lies within `W c + b` plus or minus
    `|W| r`. Float32, adding n products in any order, is off by at most u of each product and, for
    each of the additions, u of a partial sum, u = 2^-24: `u |W| |x| + n u / (1 - n u) M` (Higham,
    "Accuracy and Stability of Numerical Algorithms", 2002, sections 3.1 and 4.2), which is added on
    both sides. M, the largest that a partial sum can be, is what all positive products or all
    negative ones add up to, about half of `|W| |x|`.

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

    def matrix(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """W, float64 (outputs, inputs), and b (outputs,), of inputs of a shape, all flattened."""
        size = math.prod(shape)
        basis = tf.reshape(tf.eye(size, dtype=tf.float64), [size, *shape])
        columns = self._linear(basis)
        shift = tf.broadcast_to(self._shift, columns.shape[1:])
        return tf.reshape(columns, [size, -1]).numpy().T, tf.reshape(shift, [-1]).numpy()

    def rounding(self, x: Interval) -> tf.Tensor:
        """How far the layer as it computes may be off, for inputs within an `Interval`."""
        relative = (self.terms + 2) * x.unit
        above, below = tf.maximum(x.upper, 0.0), tf.maximum(-x.lower, 0.0)
        both = self._absolute(above + below) + tf.abs(self._linear(above - below))
        all_of_them = self._absolute(x.magnitude)
        one_sign = tf.minimum(both / 2.0, all_of_them)
        added = relative / (1.0 - relative) * (one_sign + self._magnitude)
        return added + x.unit * all_of_them

    def relax(self, x: Interval) -> Relaxation:
        """The layer's bounds for inputs within an `Interval`."""
        centre = self._linear(x.centre) + self._shift
        radius = self._absolute(x.radius)
        error, shape = self.rounding(x), tf.shape(x.lower)

        def pull(weights):
            shift = tf.broadcast_to(self._shift, tf.shape(error)[1:])
            constant = total(weights * shift) - total(tf.abs(weights) * error[:, None])
            return [pulled_through(self._linear, shape, weights)], constant

        return Relaxation(x.like(centre - radius, centre + radius).widened(error), pull)


class Sum:
    """The sum of several tensors, as where a skip meets its branch."""

    mixes = True

    def relax(self, *inputs: Interval) -> Relaxation:
        """The sum's bounds for inputs within `Interval`s."""
        lower = tf.add_n([x.lower for x in inputs])
        upper = tf.add_n([x.upper for x in inputs])
        error = len(inputs) * inputs[0].unit * tf.add_n([x.magnitude for x in inputs])

        def pull(weights):
            return [weights] * len(inputs), -total(tf.abs(weights) * error[:, None])

        return Relaxation(inputs[0].like(lower, upper).widened(error), pull)


class Joined:
    """Tensors side by side along the last axis."""

    mixes = False

    def relax(self, *inputs: Interval) -> Relaxation:
        """The bounds side by side."""
        output = inputs[0].like(
            tf.concat([x.lower for x in inputs], -1), tf.concat([x.upper for x in inputs], -1)
        )
        widths = [x.lower.shape[-1] for x in inputs]

        def pull(weights):
            nothing = tf.zeros(tf.shape(weights)[:2], tf.float64)
            return tf.split(weights, widths, axis=-1), nothing

        return Relaxation(output, pull)

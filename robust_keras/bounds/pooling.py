"""Largest values: max pooling, and a coarse bound of k-winners-take-all."""

from typing import Any

import tensorflow as tf

from robust_keras.bounds.interval import Interval
from robust_keras.bounds.relaxation import Relaxation, pulled_through, total

_LEAST = -1e30


class MaxPooling:
    """The largest entry of each window.

    Below: the entry whose lower bound is largest. Above: that entry too, where no other of the
    window can exceed it, else the largest upper bound.

    Args:
        size: (height, width) of the window.
        strides: (down, across).
        same: whether the image is padded, with entries that never win.
    """

    def __init__(self, size: Any, strides: Any, same: bool):
        self._size, self._strides, self._same = size, strides, same

    def relax(self, x: Interval) -> Relaxation:
        """The bounds for inputs within an `Interval`."""
        lower, upper = self._windows(x.lower, _LEAST), self._windows(x.upper, _LEAST)
        output = x.like(tf.reduce_max(lower, axis=-1), tf.reduce_max(upper, axis=-1))
        best = tf.one_hot(tf.argmax(lower, axis=-1), lower.shape[-1], dtype=tf.float64)
        others = tf.reduce_max(tf.where(best > 0.0, tf.cast(_LEAST, tf.float64), upper), axis=-1)
        settled = tf.cast(output.lower >= others, tf.float64)
        shape, static = tf.shape(x.lower), (None, *x.lower.shape[1:])

        def pull(weights):
            positive, negative = tf.nn.relu(weights), -tf.nn.relu(-weights)
            followed = positive + negative * settled[:, None]
            spread = followed[..., None] * best[:, None]
            height = (1.0 - settled) * output.upper

            def windows(entries):
                return self._windows(tf.ensure_shape(entries, static), 0.0)

            return [pulled_through(windows, shape, spread)], total(negative * height[:, None])

        return Relaxation(output, pull)

    def undecided(self, x: Interval) -> tf.Tensor:
        """See `curves.Curve.undecided`."""
        return x.upper > x.lower

    def _windows(self, x, filling):
        """The entries of each window side by side: (batch, rows, columns, channels, entries)."""
        (height, width), (down, across) = self._size, self._strides
        if self._same:
            missing = [
                max(0, (-(-side // stride) - 1) * stride + window - side)
                for side, stride, window in zip(
                    x.shape[1:3], self._strides, self._size, strict=True
                )
            ]
            pads = [[0, 0], *([n // 2, n - n // 2] for n in missing), [0, 0]]
            x = tf.pad(x, pads, constant_values=tf.cast(filling, tf.float64))
        rows = (x.shape[1] - height) // down + 1
        columns = (x.shape[2] - width) // across + 1
        shifted = [
            x[:, i : i + down * (rows - 1) + 1 : down, j : j + across * (columns - 1) + 1 : across]
            for i in range(height)
            for j in range(width)
        ]
        return tf.stack(shifted, axis=-1)


class WinnersOrNothing:
    """k-winners-take-all as each entry by itself: passed on or zero. Sound, and coarse."""

    def relax(self, x: Interval) -> Relaxation:
        """The bounds for inputs within an `Interval`, which do not follow the input."""
        output = x.like(tf.minimum(x.lower, 0.0), tf.maximum(x.upper, 0.0))

        def pull(weights):
            worst = tf.nn.relu(weights) * output.lower[:, None]
            worst -= tf.nn.relu(-weights) * output.upper[:, None]
            return [tf.zeros_like(weights)], total(worst)

        return Relaxation(output, pull)

    def undecided(self, x: Interval) -> tf.Tensor:
        """See `curves.Curve.undecided`."""
        return x.upper > x.lower

"""Largest values: max pooling, and a coarse bound of k-winners-take-all."""

from typing import Any

import tensorflow as tf

from robust_keras.bounds.affine import total
from robust_keras.bounds.interval import Interval

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

    def relax(self, x: Interval) -> Any:
        """The bounds for inputs within an `Interval`."""
        lower, upper = self._windows(x.lower, _LEAST), self._windows(x.upper, _LEAST)
        output = Interval(tf.reduce_max(lower, axis=-1), tf.reduce_max(upper, axis=-1))
        best = tf.one_hot(tf.argmax(lower, axis=-1), lower.shape[-1], dtype=tf.float64)
        others = tf.reduce_max(tf.where(best > 0.0, tf.cast(_LEAST, tf.float64), upper), axis=-1)
        settled = tf.cast(output.lower >= others, tf.float64)
        return _MaxRelaxation(self, x.lower, best, settled, output)

    def undecided(self, x: Interval) -> tf.Tensor:
        """See `curves.Curve.undecided`."""
        return x.upper > x.lower

    def windows(self, x: Interval) -> tf.Tensor:
        """The entries of each window side by side: (batch, rows, columns, channels, entries)."""
        return self._windows(x, 0.0)

    def _windows(self, x, filling):
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


class _MaxRelaxation:
    """Max pooling at work on a batch; see `affine.AffineRelaxation`."""

    def __init__(self, pool, entries, best, settled, output):
        self.output = output
        self._pool, self._best, self._settled = pool, best, settled
        self._shape, self._static = tf.shape(entries), entries.shape[1:]

    def pull(self, weights):
        """See `affine.AffineRelaxation.pull`."""
        positive, negative = tf.nn.relu(weights), -tf.nn.relu(-weights)
        followed = positive + negative * self._settled[:, None]
        spread = followed[..., None] * self._best[:, None]
        batch, rows = tf.shape(weights)[0], tf.shape(weights)[1]
        flat = tf.reshape(spread, tf.concat([[batch * rows], tf.shape(spread)[2:]], 0))
        zeros = tf.zeros(tf.concat([[batch * rows], self._shape[1:]], 0), tf.float64)
        zeros = tf.ensure_shape(zeros, (None, *self._static))
        with tf.GradientTape() as tape:
            tape.watch(zeros)
            windows = self._pool.windows(zeros)
        pulled = tape.gradient(windows, zeros, output_gradients=flat)
        height = (1.0 - self._settled) * self.output.upper
        shape = tf.concat([[batch, rows], self._shape[1:]], 0)
        return [tf.reshape(pulled, shape)], total(negative * height[:, None])


class WinnersOrNothing:
    """k-winners-take-all as each entry by itself: passed on or zero. Sound, and coarse."""

    def relax(self, x: Interval) -> "ConstantRelaxation":
        """The bounds for inputs within an `Interval`."""
        output = Interval(tf.minimum(x.lower, 0.0), tf.maximum(x.upper, 0.0))
        return ConstantRelaxation(output)

    def undecided(self, x: Interval) -> tf.Tensor:
        """See `curves.Curve.undecided`."""
        return x.upper > x.lower


class ConstantRelaxation:
    """Bounds that do not follow the input; see `affine.AffineRelaxation`."""

    def __init__(self, output: Interval):
        self.output = output

    def pull(self, weights: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """See `affine.AffineRelaxation.pull`."""
        worst = tf.nn.relu(weights) * self.output.lower[:, None]
        worst -= tf.nn.relu(-weights) * self.output.upper[:, None]
        return [tf.zeros_like(weights)], total(worst)

"""Where in an interval a kernel activation is least and where it is most."""

import math

import keras
import numpy as np
import tensorflow as tf

from robust_keras.bounds.kernel_curves import check_kernel

# Places of the grid to each dictionary element: their distance is far below a kernel's width.
_FINENESS = 8
_REACH = 4.0  # standard deviations of a kernel beyond the dictionary


def kernel_extremes(
    layer: keras.layers.Layer, lower: tf.Tensor, upper: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Places of a grid within intervals where each channel's curve is least and most.

    The smallest of any run of the grid is that of two runs, each of a power of two, that cover it:
    a table of all such runs answers every interval in the same few operations, however wide.

    Args:
        layer: a built `layers.KernelActivation`, not paired.
        lower: float32 tensor (batch, ..., channels).
        upper: float32 tensor of that shape, nowhere below `lower`.

    Returns:
        Two tensors of that shape, within the interval, through which no gradient flows. An
        interval that holds no place of the grid has its lower end in both.

    Raises:
        InputError: other kernels, or pairs.
    """
    check_kernel(layer)
    grid = _grid(layer)
    channels = lower.shape[-1]
    points = tf.constant(np.repeat(grid[:, None], channels, 1), lower.dtype)
    heights = tf.stop_gradient(layer(points))
    runs = _Runs(lower, upper, grid)
    return tuple(runs.best(sign * heights) for sign in (1.0, -1.0))


def _grid(layer):
    reach = layer.boundary + _REACH / math.sqrt(2.0 * layer.initial_bandwidth)
    return np.linspace(-reach, reach, _FINENESS * layer.dictionary_size + 1)


class _Runs:
    """Which run of the grid lies within each interval."""

    def __init__(self, lower, upper, grid):
        self._lower, self._grid = tf.stop_gradient(lower), tf.constant(grid, lower.dtype)
        self._count, step = len(grid), grid[1] - grid[0]
        first = tf.math.ceil((self._lower - grid[0]) / step)
        last = tf.math.floor((tf.stop_gradient(upper) - grid[0]) / step)
        self._first = tf.cast(tf.clip_by_value(first, 0.0, self._count - 1.0), tf.int32)
        self._last = tf.cast(tf.clip_by_value(last, 0.0, self._count - 1.0), tf.int32)
        self._none = (first > last) | (last < 0.0) | (first > self._count - 1.0)
        logarithms = np.floor(np.log2(np.maximum(np.arange(self._count + 1), 1)))
        length = tf.maximum(self._last - self._first + 1, 1)
        self._level = tf.gather(tf.constant(logarithms, tf.int32), length)

    def best(self, heights):
        """The place of each interval's smallest height, of heights (grid, channels)."""
        table = _table(heights)
        span = tf.bitwise.left_shift(1, self._level)
        left = self._look_up(table, self._level, self._first)
        right = self._look_up(table, self._level, tf.maximum(self._last - span + 1, self._first))
        height = [self._look_up(heights[None], tf.zeros_like(p), p) for p in (left, right)]
        place = tf.gather(self._grid, tf.where(height[0] <= height[1], left, right))
        return tf.where(self._none, self._lower, place)

    def _look_up(self, table, level, place):
        channels = table.shape[-1]
        flat = (level * self._count + place) * channels + tf.range(channels)
        return tf.gather(tf.reshape(table, [-1]), flat)


def _table(heights):
    """Entry (n, i): where the smallest of the 2^n heights from i on is, each channel's."""
    count, channels = heights.shape
    least, where = heights, tf.repeat(tf.range(count)[:, None], channels, 1)
    rows = [where]
    for level in range(int(math.log2(count))):
        # What is repeated at the end belongs to runs that would leave the grid: none asks for it.
        ahead = [
            tf.concat([x[2**level :], tf.repeat(x[-1:], 2**level, 0)], 0) for x in (least, where)
        ]
        smaller = ahead[0] < least
        least = tf.where(smaller, ahead[0], least)
        where = tf.where(smaller, ahead[1], where)
        rows.append(where)
    return tf.stack(rows)

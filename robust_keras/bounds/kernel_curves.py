"""A kernel activation as one tabulated curve a channel, with what the table leaves out bounded."""

import keras
import numpy as np
import tensorflow as tf

from robust_keras.bounds.curves import Curve
from robust_keras.errors import InputError

_CELLS = 2048
# Beyond this many standard deviations of its last kernel a channel is zero to within 2e-10.
_REACH = 6.7
# Largest third and fourth derivative of exp(-t^2 / 2).
_THIRD, _FOURTH = 1.3802, 3.0
# What the layer's own tables and sums may add, in `Interval.unit`s of the curve's height.
_UNITS = 64.0


def kernel_curve(layer: keras.layers.Layer) -> Curve:
    """The curves of a `KernelActivation`, each channel's to itself.

    Args:
        layer: a built `layers.KernelActivation` with Gaussian kernels, not paired.

    Raises:
        InputError: other kernels, or pairs, for which no bounds are known here.
    """
    check_kernel(layer)
    mixing, dictionary, bandwidth = (np.asarray(v, np.float64) for v in layer.parameters())
    spread = 1.0 / np.sqrt(2.0 * bandwidth)
    low = dictionary.min(1, keepdims=True) - _REACH * spread
    high = dictionary.max(1, keepdims=True) + _REACH * spread
    points = low + (high - low) * np.linspace(0.0, 1.0, _CELLS + 1)
    values, second, third = _derivatives(points, mixing, dictionary, spread)
    step = (high - low) / _CELLS
    weight = np.abs(mixing).sum(1, keepdims=True)
    # The largest value on a grid, and what may rise between its points.
    jerk = _largest(third) + step / 2 * _FOURTH * weight / spread**4
    curvature = _largest(second) + step / 2 * jerk
    tail = step**2 * curvature / 8 + 2e-10 * weight
    height = _largest(values)
    return Curve(
        value=_Table(values, low[:, 0], step[:, 0]),
        curvature=tf.constant(curvature[:, 0]),
        active=(tf.constant(low[:, 0]), tf.constant(high[:, 0])),
        tail=tf.constant(tail[:, 0]),
        error=tf.constant(_UNITS * height[:, 0]),
    )


def check_kernel(layer: keras.layers.Layer) -> None:
    """Raises InputError for kernels of which nothing is known here."""
    if layer.kernel != "gaussian" or layer.paired:
        kind = "paired" if layer.paired else layer.kernel
        raise InputError.expected(
            f"layer '{layer.name}'", "a KernelActivation with kernel='gaussian', paired=False", kind
        )


def _derivatives(points, mixing, dictionary, spread):
    """The curve, its second and its third derivative: (channels, points) each."""
    totals = [np.zeros_like(points) for _ in range(3)]
    for kernel in range(mixing.shape[1]):
        t = (points - dictionary[:, kernel, None]) / spread
        bell = mixing[:, kernel, None] * np.exp(-(t**2) / 2)
        totals[0] += bell
        totals[1] += bell * (t**2 - 1) / spread**2
        totals[2] += bell * (3 * t - t**3) / spread**3
    return totals


def _largest(values):
    return np.abs(values).max(1, keepdims=True)


class _Table:
    """Straight lines between the points of a table, one table a channel."""

    def __init__(self, values, low, step):
        self._values = tf.constant(values.reshape(-1))
        self._low, self._step = tf.constant(low), tf.constant(step)
        self._first = tf.constant(np.arange(len(values)) * values.shape[1], tf.int64)

    def __call__(self, x):
        place = tf.clip_by_value((x - self._low) / self._step, 0.0, float(_CELLS))
        cell = tf.minimum(tf.cast(place, tf.int64), _CELLS - 1)
        left = tf.gather(self._values, self._first + cell)
        right = tf.gather(self._values, self._first + cell + 1)
        share = place - tf.cast(cell, tf.float64)
        return left + share * (right - left)

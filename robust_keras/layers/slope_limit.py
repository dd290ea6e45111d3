"""Kernel activations that are nowhere steeper than a limit, by a constraint."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.arguments import choice, positive
from robust_keras.layers.kernels import BANDWIDTH_RULES

# Places to each dictionary element, and standard deviations beyond the last kernel.
_FINENESS, _REACH = 16, 5.0


@keras.saving.register_keras_serializable(package="robust_keras")
class SlopeLimit(keras.constraints.Constraint):
    """Scales each channel of a `KernelActivation` down until its slope is within a limit.

    Formula: with h the distance of the places s at which a curve's derivatives are tabulated,
    `max |g'(s)| + h^2 / 8 (max |g'''(s)| + 3 h / 2 (2 bandwidth)^2 sum_i |a_i|)` is at least the
    largest slope anywhere; it grows with the coefficients a, which are divided by it. With a limit
    of 1 the activation is 1-Lipschitz; so is a network of such ones whose other layers are.

    Args:
        limit: largest slope, > 0.
        boundary: as of the activation, whose dictionary, like its bandwidth, must stay as it is.
        bandwidth: see there.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> from robust_keras.layers import KernelActivation
        >>> KernelActivation(initializer="elu", constraint=SlopeLimit(1.0)).constraint.limit
        1.0
    """

    def __init__(self, limit: float = 1.0, boundary: float = 5.0, bandwidth: float | str = "paper"):
        self.limit = positive("limit", limit)
        self.boundary = positive("boundary", boundary)
        named = isinstance(bandwidth, str)
        check = choice("bandwidth", bandwidth, BANDWIDTH_RULES) if named else bandwidth
        self.bandwidth = check if named else positive("bandwidth", bandwidth)

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        """The coefficients (channels, dictionary_size), those of steep channels smaller."""
        wide = tf.cast(w, tf.float64)
        first, third, step, gamma = self._tables(w.shape[-1])
        jerk = _largest(wide, third) + 1.5 * step * (2.0 * gamma) ** 2 * tf.reduce_sum(
            tf.abs(wide), axis=1, keepdims=True
        )
        steepest = _largest(wide, first) + step**2 / 8.0 * jerk
        return tf.cast(wide / tf.maximum(steepest / self.limit, 1.0), w.dtype)

    def _tables(self, size):
        """First and third derivatives of every kernel (places, size), their distance, bandwidth."""
        dictionary = np.linspace(-self.boundary, self.boundary, size)
        gamma = self.bandwidth
        if gamma in BANDWIDTH_RULES:
            gamma = BANDWIDTH_RULES[gamma] / (dictionary[1] - dictionary[0]) ** 2
        reach = self.boundary + _REACH / np.sqrt(2.0 * gamma)
        places, step = np.linspace(-reach, reach, _FINENESS * size + 1, retstep=True)
        away = places[:, None] - dictionary
        bells = np.exp(-gamma * away**2)
        first = -2.0 * gamma * away * bells
        third = (12.0 * gamma**2 * away - 8.0 * gamma**3 * away**3) * bells
        return first, third, step, gamma

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild it."""
        return {"limit": self.limit, "boundary": self.boundary, "bandwidth": self.bandwidth}


def _largest(weights, table):
    slopes = tf.linalg.matmul(weights, tf.constant(table), transpose_b=True)
    return tf.reduce_max(tf.abs(slopes), axis=1, keepdims=True)

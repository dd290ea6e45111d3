"""One-dimensional kernels of the difference between an input and a dictionary element."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel k(s, d) = value(s - d, bandwidth).

    Attributes:
        value: (difference, bandwidth) -> kernel.
        slope: (difference, bandwidth) -> derivative with respect to the difference.
        bandwidth_slope: derivative with respect to the bandwidth; None if there is no bandwidth.
        symmetric: whether k(s, d) = k(d, s), as kernel ridge regression supposes.
        ridge: whether a fit on a grid has a solution.
    """

    value: Callable
    slope: Callable
    bandwidth_slope: Callable | None
    symmetric: bool
    ridge: bool


def gaussian(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns exp(-bandwidth difference^2)."""
    return tf.exp(-bandwidth * tf.square(difference))


def gaussian_slope(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns the derivative of the Gaussian with respect to the difference."""
    return -2.0 * bandwidth * difference * gaussian(difference, bandwidth)


def gaussian_bandwidth_slope(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns the derivative of the Gaussian with respect to the bandwidth."""
    return -tf.square(difference) * gaussian(difference, bandwidth)


def relu(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns max(difference, 0)."""
    del bandwidth
    return tf.nn.relu(difference)


def relu_slope(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns the step function, 0 at 0 as ReLU's derivative is."""
    del bandwidth
    return tf.cast(difference > 0, difference.dtype)


def softplus(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns log(1 + exp(difference))."""
    del bandwidth
    return tf.math.softplus(difference)


def softplus_slope(difference: tf.Tensor, bandwidth: tf.Tensor) -> tf.Tensor:
    """Returns the logistic function."""
    del bandwidth
    return tf.sigmoid(difference)


KERNELS = {
    "gaussian": Kernel(
        gaussian, gaussian_slope, gaussian_bandwidth_slope, symmetric=True, ridge=True
    ),
    # A ReLU kernel matrix on a grid is triangular with a zero diagonal, hence singular.
    "relu": Kernel(relu, relu_slope, None, symmetric=False, ridge=False),
    "softplus": Kernel(softplus, softplus_slope, None, symmetric=False, ridge=True),
}

# Published rules for the Gaussian's bandwidth, as multiples of 1 / step^2: Scardapane et al.
# (2019, arXiv 1707.04035) and the code that its authors released.
BANDWIDTH_RULES = {"paper": 1 / 6, "reference": 1 / 8}

# The product Gaussian of two inputs has one published rule.
PAIRED_BANDWIDTH = 1 / 4

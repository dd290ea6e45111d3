"""Sums of Gaussians on a fixed dictionary, by one small table for each channel.

A channel's activation is a smooth curve: it is tabulated in float64 once a call, as cubics on
cells narrow enough for float32, and each input looks its cubic up. The gradient of the mixing
coefficients needs only three moments of the upstream gradient in each cell. Neither the time nor
the memory for an input grows with the dictionary, and the large terms of opposite sign that ridge
regression gives are added up in float64.
"""

import dataclasses

import tensorflow as tf

from layers.fusion import fused, in_graph
from layers.gaussian_cells import Cells, kernel_polynomials

# The largest cell widths, in units of 1 / sqrt(bandwidth), that keep the error of cubics (for the
# curve) and of quadratics (for the coefficients' gradient) below 1e-6 of the kernel.
CURVE_WIDTH, MOMENT_WIDTH = 1 / 16, 1 / 40

# With more cells than this the tables would outgrow the caches, and then the inputs.
MOST_CELLS = 8192

# Derivatives beyond this order are those of the interpolating cubic itself.
LAST_ORDER = 2


@dataclasses.dataclass(frozen=True)
class GaussianCurve:
    """The fixed part of `sum_i mixing_i exp(-bandwidth (s - d_i)^2)`.

    Attributes:
        dictionary: the d_i, a tuple of numbers.
        bandwidth: > 0.
    """

    dictionary: tuple[float, ...]
    bandwidth: float

    def cells(self, width):
        """Returns cells of at most this relative width."""
        return Cells.of_width(width, max(map(abs, self.dictionary)), self.bandwidth)

    @property
    def fits(self):
        """Whether the tables stay small enough."""
        return self.cells(MOMENT_WIDTH).count <= MOST_CELLS

    def polynomials(self, cells, degree, order):
        """Returns the kernels' polynomials on the cells."""
        return kernel_polynomials(cells, degree, order, self.dictionary, self.bandwidth)

    def __call__(self, inputs, mixing):
        """Returns the sum, differentiable in both arguments, twice in all.

        Args:
            inputs: float32, shape (rows, channels).
            mixing: float32, shape (channels, dictionary_size).

        Returns:
            float32, shape (rows, channels).
        """

        @tf.custom_gradient
        def differentiable(inputs, mixing):
            def backward(upstream):
                input_gradient = _scaled(self, 1, upstream, inputs, mixing)
                return input_gradient, _mixing_gradient(self, 0, inputs, upstream)

            return _values(self, 0, inputs, mixing), backward

        return differentiable(inputs, mixing)


def _scaled(curve, order, scale, inputs, mixing):
    """Returns `scale` times the sum's derivative of the given order, differentiable itself."""
    if order == LAST_ORDER:
        return _values(curve, order, inputs, mixing, scale)

    @tf.custom_gradient
    def differentiable(scale, inputs, mixing):
        def backward(upstream):
            product = upstream * scale
            return (
                _scaled(curve, order, upstream, inputs, mixing),
                _scaled(curve, order + 1, product, inputs, mixing),
                _mixing_gradient(curve, order, inputs, product),
            )

        return _values(curve, order, inputs, mixing, scale), backward

    return differentiable(scale, inputs, mixing)


@in_graph
def _values(curve, order, inputs, mixing, scale=1.0):
    """Looks every input up in its channel's table of cubics, times `scale`."""
    cells = curve.cells(CURVE_WIDTH)
    with fused():
        table = tf.matmul(tf.cast(mixing, tf.float64), curve.polynomials(cells, 3, order))
        table = tf.reshape(tf.cast(table, inputs.dtype), [-1, 4])
        index, position = cells.locate(inputs)
        constant, linear, quadratic, cubic = tf.unstack(tf.gather(table, index), axis=-1)
        values = ((cubic * position + quadratic) * position + linear) * position + constant
        return scale * values


@in_graph
def _mixing_gradient(curve, order, inputs, upstream):
    """Returns the gradient of the mixing coefficients from the moments of each cell."""
    cells = curve.cells(MOMENT_WIDTH)
    with fused():
        index, position = cells.locate(inputs)
        first = upstream * position
        second = first * position
    size = inputs.shape[1] * cells.count
    moments = tf.stack([_histogram(index, w, size) for w in (upstream, first, second)], axis=-1)
    moments = tf.reshape(tf.cast(moments, tf.float64), [inputs.shape[1], -1])
    gradient = tf.matmul(moments, curve.polynomials(cells, 2, order), transpose_b=True)
    return tf.cast(gradient, inputs.dtype)


def _histogram(index, weights, size):
    """Returns the sum of the weights at each index."""

    @tf.custom_gradient
    def differentiable(weights):
        counts = tf.raw_ops.DenseBincount(
            input=tf.reshape(index, [-1]),
            size=size,
            weights=tf.reshape(weights, [-1]),
            binary_output=False,
        )
        return counts, lambda upstream: tf.gather(upstream, index)

    return differentiable(weights)

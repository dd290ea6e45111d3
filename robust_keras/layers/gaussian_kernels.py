"""The Gaussian kernels of all channels as tables: what depends on their parameters, and only that.

Both classes turn the parameters into tables of polynomials, and the moments that an upstream
gradient has in every cell into the parameters' gradients.
"""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from robust_keras.layers.copies import made_once
from robust_keras.layers.gaussian_cells import (
    TERMS,
    Cells,
    cells_for,
    cells_within,
    kernel_polynomials,
)

# With more cells than this the tables would outgrow the caches, and then the inputs.
MOST_CELLS = 8192


@dataclasses.dataclass(frozen=True)
class FixedKernels:
    """Kernels on one fixed dictionary; the only parameter is `mixing` (channels, kernels).

    Attributes:
        dictionary: a tuple of numbers.
        bandwidth: > 0.
    """

    dictionary: tuple[float, ...]
    bandwidth: float

    @property
    def fit(self) -> bool:
        """Whether the tables stay small enough."""
        return self.cells(()).count <= MOST_CELLS

    def cells(self, parameters: Sequence[tf.Tensor]) -> Cells:
        """Returns the cells, which do not depend on the parameters."""
        del parameters
        return cells_for(max(map(abs, self.dictionary)), self.bandwidth)

    def tables(self, cells: Cells, order: int, parameters: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns the coefficients of each channel's curve: float64, (channels, TERMS * count)."""
        (mixing,) = parameters
        return tf.matmul(tf.cast(mixing, tf.float64), self.polynomials(cells, order))

    def gradients(
        self, cells: Cells, order: int, parameters: Sequence[tf.Tensor], moments: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Returns the parameters' gradients from moments of shape (channels, TERMS * count)."""
        (mixing,) = parameters
        return (_mixing_gradient(self, cells, order, moments, mixing.dtype),)

    def polynomials(self, cells: Cells, order: int) -> tf.Tensor:
        """Returns those of each kernel: float64, (kernels, TERMS * count)."""
        dictionary = tf.constant(self.dictionary, tf.float64)[:, None]
        return kernel_polynomials(cells, order, dictionary, self.bandwidth)


@made_once
def _mixing_gradient(kernels, cells, order, moments, dtype):
    gradient = tf.matmul(moments, kernels.polynomials(cells, order), transpose_b=True)
    return tf.cast(gradient, dtype)


@dataclasses.dataclass(frozen=True)
class MovingKernels:
    """Kernels with a dictionary and a bandwidth of each channel's own.

    The parameters are `mixing` (channels, kernels), `dictionary` (channels, kernels) and
    `bandwidth` (channels, 1). The cells' number is fixed, their width follows the parameters:
    `bandwidth * dictionary^2` may grow a hundredfold before the cells get too wide for float32.

    Attributes:
        start: the kernels at the start of training, which say how many cells are needed.
    """

    start: FixedKernels

    @property
    def fit(self) -> bool:
        """Whether the tables stay small enough."""
        return self.start.fit

    def cells(self, parameters: Sequence[tf.Tensor]) -> Cells:
        """Returns cells that cover every channel's kernels."""
        _, dictionary, bandwidth = (tf.cast(value, tf.float64) for value in parameters)
        boundary = tf.reduce_max(tf.abs(dictionary), axis=1, keepdims=True)
        # Twice as many cells as at the start leave the kernels room to move.
        return cells_within(2 * self.start.cells(()).reach, boundary, bandwidth)

    def tables(self, cells: Cells, order: int, parameters: Sequence[tf.Tensor]) -> tf.Tensor:
        """Returns the coefficients of each channel's curve: float64, (channels, TERMS * count)."""
        mixing, dictionary, bandwidth = (tf.cast(value, tf.float64) for value in parameters)

        def add(total, kernel):
            coefficient, element = kernel
            polynomials = kernel_polynomials(cells, order, element[:, None], bandwidth)
            return total + coefficient[:, None] * polynomials

        # One kernel at a time: all together would be larger than the layer's inputs.
        empty = tf.zeros([mixing.shape[0], TERMS * cells.count], tf.float64)
        kernels = tf.transpose(mixing), tf.transpose(dictionary)
        return tf.foldl(add, kernels, empty, parallel_iterations=1)

    def gradients(
        self, cells: Cells, order: int, parameters: Sequence[tf.Tensor], moments: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        """Returns the parameters' gradients from moments of shape (channels, TERMS * count).

        With k the kernel's derivative of this order in s: `dk/dd = -k'`, and the derivative in the
        bandwidth is `-(k'' + 2 bandwidth k) / (4 bandwidth^2)`.
        """
        mixing, dictionary, bandwidth = (tf.cast(value, tf.float64) for value in parameters)

        def project(element):
            shapes = (
                kernel_polynomials(cells, order + further, element[:, None], bandwidth)
                for further in range(3)
            )
            return tf.stack([tf.reduce_sum(moments * shape, axis=1) for shape in shapes], axis=1)

        projections = tf.map_fn(project, tf.transpose(dictionary), parallel_iterations=1)
        value, slope, curvature = tf.unstack(tf.transpose(projections, [2, 1, 0]))
        widening = -(curvature + 2 * bandwidth * value) / (4 * tf.square(bandwidth))
        gradients = (
            value,
            -mixing * slope,
            tf.reduce_sum(mixing * widening, axis=1, keepdims=True),
        )
        return tuple(
            tf.cast(gradient, parameter.dtype)
            for gradient, parameter in zip(gradients, parameters, strict=True)
        )

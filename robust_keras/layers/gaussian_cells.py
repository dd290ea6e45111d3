"""Polynomials that stand for Gaussian kernels on small cells of the real line."""

import dataclasses
import math

import tensorflow as tf

# Beyond this many times 1 / sqrt(bandwidth) a kernel is below 1e-10.
TAIL = 4.9

# Widest cell, in units of 1 / sqrt(bandwidth), on which a quadratic stands for a kernel, or for
# one of its first two derivatives, with an error near 1e-6 of their largest value.
WIDEST = 1 / 40

# Moments of a cell, and coefficients of its polynomial.
TERMS = 3


@dataclasses.dataclass(frozen=True)
class Cells:
    """Cells of equal width, symmetric about zero, that cover all inputs with a non-zero kernel.

    Attributes:
        per_unit: cells per unit of the input, a power of two: positions in a cell are then exact
            in floating point, however far the input is from zero. A number, or a float64 tensor
            of shape (channels, 1).
        reach: cells on each side of zero, the outermost of which hold zero for all inputs beyond.
    """

    per_unit: float | tf.Tensor
    reach: int

    @property
    def count(self) -> int:
        """The number of cells."""
        return 2 * self.reach + 1

    def locate(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns each input's cell and its position in the cell, in [-0.5, 0.5].

        Args:
            inputs: shape (rows, channels); NaN gives some cell and the position NaN.

        Returns:
            int32 indices into (channels, count) tables laid end to end, and float positions.
        """
        per_unit = tf.reshape(tf.cast(self.per_unit, inputs.dtype), [-1])
        scaled = tf.clip_by_value(inputs * per_unit, -float(self.reach), float(self.reach))
        floor = tf.floor(scaled)
        cell = tf.clip_by_value(tf.cast(floor, tf.int32) + self.reach, 0, self.count - 1)
        return cell + tf.range(inputs.shape[1]) * self.count, scaled - floor - 0.5


def cells_for(boundary: float, bandwidth: float) -> Cells:
    """Returns the fewest cells that are narrow enough and reach far enough.

    Args:
        boundary: largest dictionary element, a number.
        bandwidth: of the Gaussian, a number.
    """
    scale = math.sqrt(bandwidth)
    per_unit = 2.0 ** math.ceil(math.log2(scale / WIDEST))
    return Cells(per_unit, math.ceil((boundary + TAIL / scale) * per_unit) + 1)


def cells_within(reach: int, boundary: float, bandwidth: tf.Tensor) -> Cells:
    """Returns the narrowest cells with which a fixed number of them reaches far enough.

    Args:
        reach: cells on each side of zero.
        boundary: largest dictionary element of each channel, float64, shape (channels, 1).
        bandwidth: of each channel, float64, shape (channels, 1).
    """
    extent = boundary + TAIL / tf.sqrt(bandwidth)
    exponent = tf.floor(tf.math.log((reach - 1) / extent) / math.log(2.0))
    return Cells(tf.pow(tf.constant(2.0, tf.float64), exponent), reach)


def kernel_polynomials(
    cells: Cells, order: int, dictionary: tf.Tensor, bandwidth: tf.Tensor
) -> tf.Tensor:
    """Returns the quadratics that stand for each kernel's derivative on each cell, in float64.

    Each is the Taylor cubic about the cell's centre, its cubic term replaced by the best linear one
    on the cell (Chebyshev economisation: `u^3` is nearly `3/16 u` on [-1/2, 1/2]).

    Args:
        cells: the `Cells`.
        order: of the derivative; 0 for the kernel itself.
        dictionary: float64, shape (kernels, 1).
        bandwidth: a number, or float64 of shape (kernels, 1).

    Returns:
        Shape (kernels, TERMS * count): the constant terms of all cells, then the linear and then
        the quadratic ones, in the cell's own coordinate.
    """
    centres = (tf.range(cells.count, dtype=tf.float64) - cells.reach + 0.5) / cells.per_unit
    inside = tf.abs(centres) < (cells.reach - 1) / cells.per_unit
    derivatives = _derivatives(centres - dictionary, bandwidth, order + 3)[order:]
    terms = [
        tf.where(inside, derivative / (math.factorial(power) * cells.per_unit**power), 0.0)
        for power, derivative in enumerate(derivatives)
    ]
    return tf.concat([terms[0], terms[1] + terms[3] * 3 / 16, terms[2]], axis=1)


def _derivatives(differences, bandwidth, highest):
    """Returns the Gaussian's derivatives of order 0 to `highest`."""
    derivatives = [tf.exp(-bandwidth * tf.square(differences))]
    derivatives.append(-2 * bandwidth * differences * derivatives[0])
    for order in range(1, highest):
        product = differences * derivatives[order] + order * derivatives[order - 1]
        derivatives.append(-2 * bandwidth * product)
    return derivatives

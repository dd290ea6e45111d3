"""Polynomials that stand for Gaussian kernels on small cells of the real line."""

import dataclasses
import math

import tensorflow as tf

# Beyond this many times 1 / sqrt(bandwidth) a kernel is below 1e-10.
TAIL = 4.9


@dataclasses.dataclass(frozen=True)
class Cells:
    """Cells of equal width, symmetric about zero, that cover all inputs with a non-zero kernel.

    Attributes:
        per_unit: cells per unit of the input, a power of two: positions in a cell are then exact
            in floating point, however far the input is from zero.
        reach: cells on each side of zero, the outermost of which hold zero for all inputs beyond.
    """

    per_unit: float
    reach: int

    @classmethod
    def of_width(cls, relative_width, boundary, bandwidth):
        """Returns cells no wider than `relative_width / sqrt(bandwidth)`."""
        scale = math.sqrt(bandwidth)
        per_unit = 2.0 ** math.ceil(math.log2(scale / relative_width))
        return cls(per_unit, math.ceil((boundary + TAIL / scale) * per_unit) + 1)

    @property
    def count(self):
        """The number of cells."""
        return 2 * self.reach + 1

    def locate(self, inputs):
        """Returns each input's cell and its position in the cell, in [-0.5, 0.5].

        Args:
            inputs: shape (rows, channels); NaN gives some cell and the position NaN.

        Returns:
            int32 indices into (channels, count) tables laid end to end, and float positions.
        """
        scaled = tf.clip_by_value(inputs * self.per_unit, -float(self.reach), float(self.reach))
        floor = tf.floor(scaled)
        cell = tf.clip_by_value(tf.cast(floor, tf.int32) + self.reach, 0, self.count - 1)
        return cell + tf.range(inputs.shape[1]) * self.count, scaled - floor - 0.5


def kernel_polynomials(cells, degree, order, dictionary, bandwidth):
    """Returns the polynomial of every kernel's derivative on every cell, in float64.

    Each is the Taylor polynomial about the cell's centre with one more term, that term replaced by
    its best approximation of lower degree on the cell (Chebyshev economisation).

    Args:
        cells: the `Cells`.
        degree: 2 or 3.
        order: of the derivative; 0 for the kernel itself.
        dictionary: sequence of numbers.
        bandwidth: of the Gaussian.

    Returns:
        Shape (dictionary_size, count * (degree + 1)): the coefficients of a cell side by side,
        lowest power first, in the cell's own coordinate.
    """
    centres = (tf.range(cells.count, dtype=tf.float64) - cells.reach + 0.5) / cells.per_unit
    inside = tf.abs(centres) < (cells.reach - 1) / cells.per_unit
    differences = centres - tf.constant(dictionary, tf.float64)[:, None]
    derivatives = _derivatives(differences, bandwidth, order + degree + 1)[order:]
    taylor = [
        tf.where(inside, derivative / (math.factorial(power) * cells.per_unit**power), 0.0)
        for power, derivative in enumerate(derivatives)
    ]
    *terms, last = taylor
    if degree == 2:  # u^3 is nearly 3/16 u
        terms[1] += last * 3 / 16
    else:  # u^4 is nearly u^2 / 4 - 1 / 128
        terms[2] += last / 4
        terms[0] -= last / 128
    return tf.reshape(tf.stack(terms, axis=-1), [len(dictionary), -1])


def _derivatives(differences, bandwidth, highest):
    """Returns the Gaussian's derivatives of order 0 to `highest`."""
    derivatives = [tf.exp(-bandwidth * tf.square(differences))]
    derivatives.append(-2 * bandwidth * differences * derivatives[0])
    for order in range(1, highest):
        product = differences * derivatives[order] + order * derivatives[order - 1]
        derivatives.append(-2 * bandwidth * product)
    return derivatives

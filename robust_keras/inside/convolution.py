"""A convolution as the linear operator that it is, with the size of its image, and its norms.

The kernel written as a matrix has another norm: it can be too small by the kernel's size.
"""

import dataclasses

import numpy as np
import scipy.sparse.linalg
import tensorflow as tf

# Below so many numbers on either side an operator is written out as a matrix.
_SMALL = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Convolution:
    """A two-dimensional convolution of one image size, without bias.

    Args:
        kernel: float64 array (height, width, channels in, channels out).
        size: (height, width) of the image.
        strides: (down, across).
        padding: "SAME", "VALID", or ((above, below), (left, right)), zeros added.
        dilations: (down, across).
    """

    kernel: np.ndarray
    size: tuple[int, int]
    strides: tuple[int, int] = (1, 1)
    padding: str | tuple[tuple[int, int], tuple[int, int]] = "VALID"
    dilations: tuple[int, int] = (1, 1)

    @property
    def reach(self) -> tuple[int, int]:
        """Height and width of the kernel with the gaps that dilation leaves."""
        high, wide = (
            (n - 1) * d + 1 for n, d in zip(self.kernel.shape[:2], self.dilations, strict=True)
        )
        return high, wide

    @property
    def pads(self) -> list[tuple[int, int]]:
        """Zeros added before and behind, down and across."""
        if not isinstance(self.padding, str):
            return list(self.padding)
        if self.padding == "VALID":
            return [(0, 0), (0, 0)]
        sides = zip(self.size, self.strides, self.reach, strict=True)
        missing = [max((-(-n // s) - 1) * s + k - n, 0) for n, s, k in sides]
        return [(n // 2, n - n // 2) for n in missing]

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width of what comes out."""
        sides = zip(self.size, self.pads, self.reach, self.strides, strict=True)
        high, wide = ((n + sum(pad) - k) // s + 1 for n, pad, k, s in sides)
        return high, wide

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """The operator on float64 images (batch, height, width, channels in)."""
        pads = [(0, 0), *self.pads, (0, 0)]
        kernel = tf.constant(self.kernel, tf.float64)
        return tf.nn.convolution(
            tf.pad(images, pads), kernel, self.strides, "VALID", dilations=self.dilations
        )

    def norm(self) -> float:
        """The largest singular value of the operator, by Lanczos' method, to about ten digits."""
        shape_in = (1, *self.size, self.kernel.shape[2])
        shape_out = (1, *self.output_size, self.kernel.shape[3])
        rows, columns = int(np.prod(shape_out)), int(np.prod(shape_in))
        forward = tf.function(lambda x: self(tf.reshape(x, shape_in)), autograph=False)

        @tf.function(autograph=False)
        def back(y):
            zeros = tf.zeros(shape_in, tf.float64)
            with tf.GradientTape() as tape:
                tape.watch(zeros)
                result = self(zeros)
            return tape.gradient(result, zeros, output_gradients=tf.reshape(y, shape_out))

        operator = scipy.sparse.linalg.LinearOperator(
            (rows, columns),
            matvec=lambda x: forward(tf.constant(x, tf.float64)).numpy().ravel(),
            rmatvec=lambda y: back(tf.constant(y, tf.float64)).numpy().ravel(),
            dtype=np.float64,
        )
        if not self.kernel.any():
            return 0.0
        if min(rows, columns) <= _SMALL:
            return float(np.linalg.norm(_written(operator, rows <= columns), 2))
        start = np.random.default_rng(0).standard_normal(min(rows, columns))
        return float(
            scipy.sparse.linalg.svds(operator, k=1, v0=start, return_singular_vectors=False)[0]
        )

    def norm_bound(self) -> float:
        """A number that the largest singular value does not exceed, often by less than 1 %.

        With stride s, output i is `sum_ab K[s a + b] x_b[i + a]`, x_b being every s-th entry from b
        on: a convolution of stride 1 with more channels. Within a circle of `outputs + kernel - 1`
        entries it is a circular one of which some inputs are 0 and some outputs left out, neither
        of which adds to a norm; the norm of that is the largest of its frequencies' matrices
        (Sedghi, Gupta and Long, 2019, arXiv 1805.10408). The kernel as a matrix, times the root of
        how many windows hold an entry, is another bound; the smaller one counts.
        """
        phases = _phases(self.kernel, self.strides, self.dilations)
        circle = [
            1 if k == 1 else n + k - 1
            for k, n in zip(phases.shape[:2], self.output_size, strict=True)
        ]
        windows = np.prod(np.minimum(phases.shape[:2], self.output_size))
        flat = self.kernel.reshape(-1, self.kernel.shape[3])
        return float(min(_largest_frequency(phases, circle), _norm(flat) * np.sqrt(windows)))

    def largest_sum(self) -> float:
        """A bound of the norm from largest entry to largest entry (l-infinity)."""
        return float(np.abs(self.kernel).sum((0, 1, 2)).max())


def _written(operator, wide):
    """The matrix of an operator, by its rows or its columns, whichever are few."""
    if wide:
        return np.stack([operator.rmatvec(row) for row in np.eye(operator.shape[0])])
    return np.stack([operator.matvec(column) for column in np.eye(operator.shape[1])], 1)


def _phases(kernel, strides, dilations):
    """The kernel of the same operator with stride 1: (height, width, more channels in, out)."""
    high, wide, inside, outside = kernel.shape
    reach = [(n - 1) * d + 1 for n, d in zip((high, wide), dilations, strict=True)]
    sides = [-(-r // s) * s for r, s in zip(reach, strides, strict=True)]
    spread = np.zeros((*sides, inside, outside))
    spread[: reach[0] : dilations[0], : reach[1] : dilations[1]] = kernel
    down, across = strides
    cut = spread.reshape(sides[0] // down, down, sides[1] // across, across, inside, outside)
    shape = (cut.shape[0], cut.shape[2], down * across * inside, outside)
    return cut.transpose(0, 2, 1, 3, 4, 5).reshape(shape)


def _largest_frequency(kernel, circle):
    """The largest singular value over the frequencies of a circular convolution."""
    rows, columns = circle
    largest = 0.0
    for row in range(rows // 2 + 1):
        turn = np.exp(-2j * np.pi * row * np.arange(kernel.shape[0]) / rows)
        there = np.tensordot(turn, kernel, 1)
        matrices = np.fft.fft(there, columns, axis=0)
        largest = max(largest, float(np.max(np.vectorize(_norm, signature="(a,b)->()")(matrices))))
    return largest


def _norm(matrix):
    """The largest singular value, by the smaller of its two products with itself."""
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.conj().T
    return np.sqrt(max(np.linalg.eigvalsh(small @ small.conj().T)[-1], 0.0))

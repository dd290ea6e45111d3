"""Kernels of dense layers and convolutions that are kept orthogonal, as operators."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras.arguments import positive, whole

# Steps towards orthogonality after each of the optimizer's.
_STEPS = 2
# Squarings of a Gram matrix before its norm is read: of a dense layer's, which comes to be the
# identity, and of those of a convolution, which are small and do not.
_SQUARINGS, _MANY_SQUARINGS = 2, 4
# What rounding in float32 may take from a bound, relative to it.
_ROUNDING = 1e-5


@keras.saving.register_keras_serializable(package="robust_keras")
class OrthogonalKernel(keras.constraints.Constraint):
    """Moves a kernel towards an orthogonal operator, and never lets its norm exceed a limit.

    Formula: twice `W <- 3/2 W - 1/2 W W^H W` (Björck and Bowie, 1971), which brings every
    singular value below sqrt(3) nearer to 1, then `W / max(1, |W|)`. A convolution is a matrix at
    every frequency of a circle that holds its outputs and its kernel (with stride s, of a kernel
    of stride 1 with s^2 as many channels), on which that is done; what is then outside the kernel
    is cut off, so that convolutions are only nearly orthogonal. `|W|` is a bound from above:
    `|W|^2 <= |G^n|^(1/n)`, G being a Gram matrix and its norm the largest sum of a row (Delattre et
    al., "Efficient Bound of Lipschitz Constant for Convolutional Layers by Gram Iteration", 2023,
    arXiv 2305.16173), exact where W is orthogonal.

    Args:
        limit: largest norm from l2 to l2, > 0.
        strides: (down, across) of a convolution.
        outputs: (height, width) of what comes out of it, with any padding; None for a dense layer.

    Raises:
        ValueError: an argument is out of range.

    Reference: Anil, Lucas and Grosse, 2019, arXiv 1811.05381 (dense layers); Sedghi, Gupta and
    Long, 2019, arXiv 1805.10408 (singular values of convolutions).

    Example:
        >>> dense = keras.layers.Dense(2, kernel_constraint=OrthogonalKernel())
        >>> OrthogonalKernel()(tf.constant([[4.0, 0.0], [0.0, 0.5]])).numpy()[0].round(3).tolist()
        [1.0, 0.0]
    """

    def __init__(
        self,
        limit: float = 1.0,
        strides: tuple[int, int] = (1, 1),
        outputs: tuple[int, int] | None = None,
    ):
        self.limit = positive("limit", limit)
        self.strides = tuple(whole("strides", n, least=1) for n in strides)
        self.outputs = outputs and tuple(whole("outputs", n, least=1) for n in outputs)

    def __call__(self, w: tf.Tensor) -> tf.Tensor:
        """The kernel (inputs, units) or (height, width, channels in, channels out), moved."""
        kernel = tf.cast(w, tf.float32) / self.limit
        kernel /= self._norm_if_above_one(kernel)
        for _ in range(_STEPS):
            kernel = self._kernel(_nearer(self._matrices(kernel)), kernel.shape)
        return tf.cast(self.limit * kernel / self._norm_if_above_one(kernel), w.dtype)

    def _norm_if_above_one(self, kernel):
        """An upper bound of the operator's norm, but at least 1."""
        gram = _gram(self._matrices(kernel))
        scale = tf.maximum(_largest_sum(gram), 1.0)
        gram /= tf.cast(scale, gram.dtype)
        squarings = _SQUARINGS if self.outputs is None else _MANY_SQUARINGS
        for _ in range(squarings):
            gram = tf.matmul(gram, gram)
        square = scale * _largest_sum(gram) ** (0.5**squarings)
        return tf.maximum((1.0 + _ROUNDING) * tf.sqrt(square), 1.0)

    def _matrices(self, kernel):
        """The operator: its one matrix, or those of all frequencies, (..., inputs, outputs)."""
        if self.outputs is None:
            return kernel
        phases = _phases(kernel, self.strides)
        high, wide = self._circle(phases.shape)
        moved = tf.transpose(phases, (2, 3, 0, 1))
        return tf.transpose(tf.signal.rfft2d(moved, [high, wide]), (2, 3, 0, 1))

    def _kernel(self, matrices, shape):
        """The kernel of that shape whose operator is nearest to one of such matrices."""
        if self.outputs is None:
            return matrices
        down, across = self.strides
        rows, columns = -(-shape[0] // down), -(-shape[1] // across)
        circle = self._circle((rows, columns))
        moved = tf.signal.irfft2d(tf.transpose(matrices, (2, 3, 0, 1)), circle)
        phases = tf.transpose(moved[..., :rows, :columns], (2, 3, 0, 1))
        spread = tf.reshape(phases, (rows, columns, down, across, shape[2], shape[3]))
        spread = tf.transpose(spread, (0, 2, 1, 3, 4, 5))
        whole_phases = tf.reshape(spread, (rows * down, columns * across, *shape[2:]))
        return whole_phases[: shape[0], : shape[1]]

    def _circle(self, phases):
        """Entries down and across, enough that nothing of zero padding wraps around."""
        return [
            1 if reach == 1 else size + reach - 1
            for reach, size in zip(phases[:2], self.outputs, strict=True)
        ]

    def get_config(self) -> dict[str, Any]:
        """The arguments that rebuild it."""
        return {"limit": self.limit, "strides": self.strides, "outputs": self.outputs}


def _phases(kernel, strides):
    """The kernel of the same operator with stride 1 and more channels in."""
    (high, wide, inside, outside), (down, across) = kernel.shape, strides
    rows, columns = -(-high // down), -(-wide // across)
    padded = tf.pad(kernel, [[0, rows * down - high], [0, columns * across - wide], [0, 0], [0, 0]])
    cut = tf.reshape(padded, (rows, down, columns, across, inside, outside))
    cut = tf.transpose(cut, (0, 2, 1, 3, 4, 5))
    return tf.reshape(cut, (rows, columns, down * across * inside, outside))


def _nearer(matrices):
    if matrices.shape[-2] < matrices.shape[-1]:
        correction = tf.matmul(_gram(matrices), matrices)
    else:
        correction = tf.matmul(matrices, _gram(matrices))
    return matrices * 1.5 - correction * 0.5


def _gram(matrices):
    """The smaller one of the two products of each matrix with its adjoint."""
    wide = matrices.shape[-2] < matrices.shape[-1]
    return tf.matmul(matrices, matrices, adjoint_a=not wide, adjoint_b=wide)


def _largest_sum(matrices):
    return tf.reduce_max(tf.reduce_sum(tf.abs(matrices), axis=-1))

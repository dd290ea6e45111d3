"""Nuclear-norm regularisation: kernels of low rank by a penalty on their singular values."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.training.prunable_kernels import (
    DEFAULT_LAYER_KINDS,
    PrunableKernel,
    prunable_kernels,
)

# Singular values below this share of the largest are lost in the rounding of float32 squares.
_FLOOR = 1e-3
# A kernel of zeros has no direction.
_TINY = 1e-12


@tf.custom_gradient
def nuclear_norm(matrix: tf.Tensor) -> tf.Tensor:
    """The sum of a matrix's singular values, with a gradient that is always finite.

    `|W|_* = sum_k s_k`; the gradient is `U V^T`, computed as `W (W^T W)^(-1/2)`. The gradient of a
    singular value decomposition divides by differences of singular values, so it is not finite
    where two are equal; this one needs no difference. Below 1e-3 times the largest, a singular
    value's pull weakens in proportion to it, so that it comes to rest at zero.

    Args:
        matrix: float tensor (n, m).

    Returns:
        A float32 scalar.

    Reference: Langenberg, Balda, Behboodi and Mathar, On the Effect of Low-Rank Weights on
    Adversarial Robustness of Neural Networks, 2019, arXiv 1901.10371.

    Example: `loss += 1e-4 * nuclear_norm(tf.reshape(kernel, (-1, kernel.shape[-1])))`.
    """
    wide = tf.cast(matrix, tf.float32)
    is_tall = wide.shape[0] >= wide.shape[1]
    tall = wide if is_tall else tf.transpose(wide)
    squares, vectors = tf.linalg.eigh(tf.matmul(tall, tall, transpose_a=True))
    values = tf.sqrt(tf.maximum(squares, 0.0))
    floor = tf.maximum(_FLOOR * tf.reduce_max(values), _TINY)
    scaled = vectors / tf.maximum(values, floor)
    direction = tf.matmul(tall, tf.matmul(scaled, vectors, transpose_b=True))
    direction = direction if is_tall else tf.transpose(direction)

    def gradient(upstream):
        return tf.cast(upstream * direction, matrix.dtype)

    return tf.reduce_sum(values), gradient


class _NuclearNormPenalty:
    """What a kernel's `regularizer` is: the penalty, and the regulariser that was there before."""

    def __init__(self, coefficient, other):
        self._coefficient = coefficient
        self._other = other

    def __call__(self, kernel):
        matrix = tf.reshape(tf.convert_to_tensor(kernel), (-1, kernel.shape[-1]))
        penalty = self._coefficient * nuclear_norm(matrix)
        return penalty if self._other is None else penalty + self._other(kernel)


def add_nuclear_norm(
    model: keras.Model, coefficient: float, layer_kinds: Sequence[str] = DEFAULT_LAYER_KINDS
) -> list[PrunableKernel]:
    """Adds `coefficient * sum |W|_*` over the model's kernels to its loss.

    A kernel of a convolution counts as the matrix (kh kw C, N). The penalty hangs on the weights in
    memory and not on their layers, so it works with any `fit`, pruning, adversarial training and
    mixed precision, and no saved file knows of it. A step costs the eigenvalues of each matrix's
    smaller square besides: much for wide dense layers.

    Args:
        model: a built `keras.Model`.
        coefficient: above 0.
        layer_kinds: keys of `prunable_kernels.LAYER_KINDS`.

    Returns:
        The `PrunableKernel`s that are penalised.

    Raises:
        ValueError: the coefficient is not above 0, or the model has no such kernel.

    Reference: Langenberg et al., 2019, arXiv 1901.10371.

    Example:
        add_nuclear_norm(model, 1e-4)
        model.compile("adam", loss)
        model.fit(images, labels)
    """
    arguments.real("coefficient", coefficient, "above 0", above=0)
    kernels = prunable_kernels(model, layer_kinds)
    if not kernels:
        raise ValueError(f"`model` must have kernels of {layer_kinds}. Received: {model.name!r}")
    for kernel in kernels:
        variable = kernel.variable
        variable.regularizer = _NuclearNormPenalty(coefficient, variable.regularizer)
    return kernels

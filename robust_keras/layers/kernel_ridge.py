"""Kernel ridge regression: mixing coefficients with which a layer starts as a known function."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from robust_keras.layers.kernels import Kernel


def ridge_coefficients(
    kernel: Kernel, activation: Callable, dictionary: np.ndarray, bandwidth: float, ridge: float
) -> np.ndarray:
    """Fits the mixing coefficients to an activation on the dictionary, in float64.

    Formula: `a = (K + ridge I)^-1 t` with `K_ij = k(d_i, d_j)` and `t_i = f(d_i)`; for a kernel
    that is not symmetric `a = (K^T K + ridge I)^-1 K^T t`, the coefficients of which stay small.

    Args:
        kernel: the `Kernel`.
        activation: the callable f.
        dictionary: float64 array, shape (dictionary_size,).
        bandwidth: the kernel's bandwidth.
        ridge: the regularisation, > 0.

    Returns:
        float64 array, shape (dictionary_size,).
    """
    matrix = _kernel_matrix(kernel, dictionary, bandwidth)
    targets = _targets(activation, dictionary)
    if not kernel.symmetric:
        matrix, targets = matrix.T @ matrix, matrix.T @ targets
    return np.linalg.solve(matrix + ridge * np.eye(len(dictionary)), targets)


def paired_ridge_coefficients(
    kernel: Kernel, activation: Callable, dictionary: np.ndarray, bandwidth: float, ridge: float
) -> np.ndarray:
    """Fits the mean of the activation of two inputs on the grid of pairs.

    Formula: as above, with the product kernel and `t_ij = (f(d_i) + f(d_j)) / 2`.

    Args:
        kernel: the `Kernel` of each input.
        activation: the callable f.
        dictionary: float64 array, shape (dictionary_size,), of both axes.
        bandwidth: the kernel's bandwidth.
        ridge: the regularisation, > 0.

    Returns:
        float64 array, shape (dictionary_size**2,), the first input's axis first.
    """
    values, vectors = np.linalg.eigh(_kernel_matrix(kernel, dictionary, bandwidth))
    single = _targets(activation, dictionary)
    targets = (single[:, None] + single[None, :]) / 2
    # The product kernel's matrix is a Kronecker product: its eigenvectors are products too.
    rotated = vectors.T @ targets @ vectors
    return (vectors @ (rotated / (np.outer(values, values) + ridge)) @ vectors.T).reshape(-1)


def _kernel_matrix(kernel, dictionary, bandwidth):
    differences = tf.constant(dictionary[:, None] - dictionary[None, :], tf.float64)
    return kernel.value(differences, tf.constant(bandwidth, tf.float64)).numpy()


def _targets(activation, dictionary):
    targets = keras.ops.convert_to_numpy(
        activation(keras.ops.convert_to_tensor(dictionary, dtype="float64"))
    )
    if targets.shape != dictionary.shape or not np.all(np.isfinite(targets)):
        raise ValueError(
            "`initializer` must be an activation that maps each number to a finite number. "
            f"Received: initializer={activation!r}, which maps shape {dictionary.shape} to "
            f"{targets.shape} with {np.sum(~np.isfinite(targets))} values that are not finite"
        )
    return targets.astype("float64")

"""Kernels as matrices, their singular values and ranks."""

import numpy as np


def columns_by_output(kernel: np.ndarray) -> np.ndarray:
    """A kernel as a matrix with one column an output: (kh kw C, N) of (kh, kw, C, N).

    Args:
        kernel: array of two axes or more.
    """
    return np.reshape(kernel, (-1, kernel.shape[-1]))


def rows_by_height(kernel: np.ndarray) -> np.ndarray:
    """A convolution's kernel (kh, kw, C, N) as the matrix (C kh, kw N), of columns by rows.

    Its rank is the number of vertical filters that Tai et al. (2015, arXiv 1511.06067) need. Other
    kernels become `columns_by_output`.
    """
    if np.ndim(kernel) != 4:
        return columns_by_output(kernel)
    height, width, channels, filters = kernel.shape
    return np.transpose(kernel, (2, 0, 1, 3)).reshape(channels * height, width * filters)


def singular_values(matrix: np.ndarray) -> np.ndarray:
    """Singular values in falling order, as float64."""
    return np.linalg.svd(np.asarray(matrix, np.float64), compute_uv=False)


def rank(matrix: np.ndarray, tolerance: float = 1e-3) -> int:
    """How many singular values are above `tolerance` times the largest one.

    Args:
        matrix: array (n, m).
        tolerance: in (0, 1).

    Returns:
        A whole number; 0 for a matrix of zeros.
    """
    values = singular_values(matrix)
    return int(np.sum(values > tolerance * values[0])) if values[0] > 0 else 0

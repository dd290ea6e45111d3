"""What a kernel's numbers tell: zeros, rank, singular values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.findings.layer import ENERGY, NEAR

BINS = 41
# The singular values of a larger matrix would take minutes.
_LARGEST = 4096
_KEPT = 64


def kernel_facts(kernels: Sequence[np.ndarray]) -> dict[str, Any]:
    """The fields of a `LayerReport` that its kernels tell, but for the operator's norm.

    Args:
        kernels: float arrays of two axes or more, the last one that of the outputs; ranks and
            singular values are those of the largest of them.
    """
    weights = np.concatenate([np.ravel(kernel) for kernel in kernels]).astype(np.float64)
    if not (len(weights) and np.isfinite(weights).all()):
        return {}
    largest = float(np.abs(weights).max())
    reach = largest or 1.0
    kernel = max(kernels, key=np.size)
    return {
        "sparsity": float(np.mean(weights == 0.0)),
        "near_zero": float(np.mean(np.abs(weights) <= NEAR * largest)),
        "largest_weight": largest,
        "histogram": tuple(np.histogram(weights, BINS, (-reach, reach))[0]),
        **_spectrum(np.reshape(kernel, (-1, kernel.shape[-1])).astype(np.float64)),
    }


def rank(values: np.ndarray, shape: tuple[int, ...]) -> int:
    """How many singular values are more than rounding in float32.

    Args:
        values: falling, at least one.
        shape: of the matrix.
    """
    return int(np.sum(values > values[0] * max(shape) * np.finfo(np.float32).eps))


def _spectrum(matrix):
    if min(matrix.shape) > _LARGEST:
        return {"full_rank": min(matrix.shape)}
    values = np.linalg.svd(matrix, compute_uv=False)
    energy = np.cumsum(values**2)
    places = np.unique(np.rint(np.linspace(0, len(values) - 1, _KEPT)).astype(int))
    return {
        "rank": rank(values, matrix.shape),
        "energy_rank": int(np.sum(energy < ENERGY * energy[-1])) + bool(energy[-1]),
        "full_rank": min(matrix.shape),
        "nuclear_norm": float(values.sum()),
        "singular_values": tuple(values[places]),
    }

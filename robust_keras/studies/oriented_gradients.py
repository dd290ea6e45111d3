"""Features of images that were made by hand: histograms of oriented gradients."""

import numpy as np

_CELL, _ANGLES, _BLOCK = 4, 9, 2
# Keeps blocks without any gradient at zero.
_LEAST = 1e-6


def histograms(images: np.ndarray) -> np.ndarray:
    """Gives histograms of oriented gradients.

    Every pixel's gradient counts by its length for one of nine directions without a sign, in cells
    of 4x4 pixels; each 2x2 cells are divided by their length together.

    Args:
        images: float array (images, height, width) of one channel in [0, 1], height and width
            multiples of 4 and at least 8.

    Returns:
        float array (images, features).

    Reference: Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", 2005.
    """
    down, across = np.gradient(images, axis=(1, 2))
    turns = np.arctan2(down, across) / np.pi % 1.0
    chosen = np.minimum((turns * _ANGLES).astype(int), _ANGLES - 1)
    counts = _cells(np.hypot(down, across)[..., None] * np.eye(_ANGLES)[chosen])
    rows, columns = (size - _BLOCK + 1 for size in counts.shape[1:3])
    blocks = np.concatenate(
        [
            counts[:, row : row + rows, column : column + columns]
            for row in range(_BLOCK)
            for column in range(_BLOCK)
        ],
        axis=-1,
    )
    lengths = np.linalg.norm(blocks, axis=-1, keepdims=True)
    return (blocks / (lengths + _LEAST)).reshape(len(images), -1)


def _cells(values):
    """Sums over cells, (images, cells, cells, angles)."""
    images, height, width, angles = values.shape
    parts = values.reshape(images, height // _CELL, _CELL, width // _CELL, _CELL, angles)
    return parts.sum(axis=(2, 4))

"""Where a step goes that is steepest in a norm."""

import numpy as np


def steepest(slopes: np.ndarray, norm: str) -> np.ndarray:
    """The change of norm 1 along which a function of such slopes rises most.

    Args:
        slopes: float array (images, height, width, channels).
        norm: "linf" (signs) or "l2" (the slopes over their length; 0 where they are).
    """
    if norm == "linf":
        return np.sign(slopes)
    lengths = np.sqrt(np.square(slopes, dtype=np.float64).sum((1, 2, 3), keepdims=True))
    return np.divide(slopes, lengths, np.zeros(slopes.shape), where=lengths > 0.0)

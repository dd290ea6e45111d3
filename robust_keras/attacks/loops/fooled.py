"""What counts as a wrong answer, for arrays and for tensors: here and nowhere else."""

from typing import Any

import numpy as np
import tensorflow as tf


def is_fooled(logits: Any, labels: Any, *, declining: bool = False) -> Any:
    """Which answers are wrong: the largest logit is not the label's, or one is not finite.

    Args:
        logits: array or tensor (..., classes).
        labels: int array, or int32 tensor, that fits the shape (...).
        declining: whether the last class is no answer, and so not wrong.

    Returns:
        bool array or tensor (...).

    Example:
        >>> is_fooled(np.array([[1.0, 2.0], [2.0, 1.0], [np.nan, 1.0]]), np.array([1, 1, 1]))
        array([False,  True,  True])
    """
    if tf.is_tensor(logits):
        classes = tf.argmax(logits, axis=-1, output_type=tf.int32)
        finite = tf.reduce_all(tf.math.is_finite(logits), axis=-1)
    else:
        classes, finite = np.argmax(logits, axis=-1), np.isfinite(logits).all(axis=-1)
    right = classes == labels
    if declining:
        right |= classes == logits.shape[-1] - 1
    return ~(right & finite)


def correct(logits: Any, labels: Any) -> Any:
    """Which answers are right, the others than `is_fooled`."""
    return ~is_fooled(logits, labels)

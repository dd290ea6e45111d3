"""Which classes a targeted attack aims at."""

import numpy as np
import tensorflow as tf

from robust_keras.attackable import Attackable


def likeliest_others(
    classifier: Attackable, images: np.ndarray, labels: np.ndarray, count: int
) -> np.ndarray:
    """The classes with the largest logits besides the label: one forward pass.

    Args:
        classifier: has `logits`.
        images: float32 array (batch, height, width, channels).
        labels: int array (batch,).
        count: how many, >= 1; a model with fewer other classes gets them all.

    Returns:
        int array (targets, batch), likeliest first.
    """
    logits = np.array(classifier.logits(tf.constant(images, tf.float32)))
    logits[np.arange(len(labels)), labels] = -np.inf
    ranked = np.argsort(-logits, axis=1, kind="stable")
    return ranked[:, : min(count, logits.shape[1] - 1)].T

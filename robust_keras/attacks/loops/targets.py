"""Which classes a targeted attack aims at."""

import numpy as np
import tensorflow as tf

from robust_keras.attacks.loops.losses import margin
from robust_keras.attacks.loops.task import Task


def likeliest_others(task: Task, count: int) -> np.ndarray:
    """The classes with the largest logits besides the label: one forward pass.

    Args:
        task: `Task`.
        count: how many, >= 1; a model with fewer other classes gets them all.

    Returns:
        int array (targets, batch), likeliest first.
    """
    logits = np.array(task.classifier.logits(tf.constant(task.images)))
    logits[np.arange(len(logits)), task.labels] = -np.inf
    ranked = np.argsort(-logits, axis=1, kind="stable")
    return ranked[:, : min(count, logits.shape[1] - 1)].T


def leads(task: Task, points: np.ndarray | None = None) -> np.ndarray:
    """The label's logit minus the largest of the others: one forward pass.

    Args:
        task: `Task`.
        points: where, float32 (batch, height, width, channels); None for the clean images.

    Returns:
        float32 array (batch,).
    """
    points = task.images if points is None else points
    logits = tf.convert_to_tensor(task.classifier.logits(tf.constant(points)))
    return -margin(tf.constant(task.labels, tf.int32), logits).numpy()

"""The same seed gives the same weights."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras.layers.gaussian_curve import sum_in_order


def make_reproducible(seed: Any) -> None:
    """Seeds Python, NumPy and TensorFlow, and asks TensorFlow for ops that repeat bit by bit.

    Without it a resumed run could not be checked against an uninterrupted one.

    Args:
        seed: whole number of at least 0.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    sum_in_order()

"""Which images an attacker who wants one answer is given."""

import numpy as np

from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.errors import InputError
from robust_keras.settings.config import EvaluateConfig


def attacked_images(
    config: EvaluateConfig, split: ImageSplit, dataset: ImageDataset
) -> tuple[ImageSplit, tuple[str, ...]]:
    """The images without those of the target class, and a sentence on what was left out.

    Returns:
        `(split, notes)`; the same split and nothing where any wrong answer counts.

    Raises:
        InputError: the data set has no such class, or no images of others.
    """
    target = config.wanted
    if target is None:
        return split, ()
    if target >= dataset.num_classes:
        expected = f"a class from 0 to {dataset.num_classes - 1}"
        raise InputError.expected("--target_class", expected, target)
    others = np.flatnonzero(split.labels != target)
    if not len(others):
        raise InputError.expected("--target_class", "a class beside which there are images", target)
    note = (
        f"--target_class: an image counts as fooled only by the answer {target}; "
        f"{len(split) - len(others)} images of that class are left out"
    )
    return split.select(others), (note,)

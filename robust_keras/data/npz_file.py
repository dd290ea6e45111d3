"""A user's own data: one `.npz` file with training and test images."""

import pathlib
import zipfile

import numpy as np

from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.errors import InputError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def load(path):
    """Loads a data set of one's own.

    Args:
        path: an `.npz` file with the arrays `x_train`, `x_test` (images, channels last, uint8 or
            floats in [0, 1]; grey images may leave out the channel axis) and `y_train`, `y_test`
            (class numbers from 0). The highest training label decides how many classes there are.

    Returns:
        An `ImageDataset` named by the path.

    Raises:
        InputError: no such file, an array is missing, or images and labels cannot be used.

    Example:
        np.savez("mine.npz", x_train=..., y_train=..., x_test=..., y_test=...)
        dataset = load("mine.npz")
    """
    if not pathlib.Path(path).is_file():
        raise InputError.expected("--dataset", "an .npz file that exists", path)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ARRAYS if name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError.expected(
            "--dataset", "a readable .npz file", f"{path} ({error})"
        ) from error
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        raise InputError.expected(
            "--dataset",
            f"the arrays {', '.join(ARRAYS)} in {path}",
            f"none named {', '.join(missing)}",
        )
    train = ImageSplit(_with_channels(arrays["x_train"]), _flat(arrays["y_train"]))
    test = ImageSplit(_with_channels(arrays["x_test"]), _flat(arrays["y_test"]))
    classes = int(train.labels.max()) + 1
    return ImageDataset(path, train, test, tuple(str(label) for label in range(classes)))


def _with_channels(images):
    return images[..., np.newaxis] if images.ndim == 3 else images


def _flat(labels):
    """Labels of shape (n,); some tools store them as (n, 1)."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels

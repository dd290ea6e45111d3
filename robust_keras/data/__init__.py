"""Image data sets by name, all with pixels in [0, 1] and channels last."""

import functools

from robust_keras.data import mnist5k, npz_file, tfds_datasets
from robust_keras.data.checks import check_images, check_labels
from robust_keras.data.datasets import (
    ImageDataset,
    ImageSplit,
    Loader,
    channel_statistics,
    hold_out,
)

__all__ = [
    "DATASETS",
    "ImageDataset",
    "ImageSplit",
    "channel_statistics",
    "check_images",
    "check_labels",
    "hold_out",
    "load",
]

# The sets that errors and documents name; any other image classification set of TensorFlow
# Datasets works too.
DATASETS: dict[str, Loader] = {
    "mnist5k": mnist5k.load,
    "mnist": functools.partial(tfds_datasets.load, "mnist"),
    "fashion_mnist": functools.partial(tfds_datasets.load, "fashion_mnist"),
    "cifar10": functools.partial(tfds_datasets.load, "cifar10"),
    "svhn_cropped": functools.partial(tfds_datasets.load, "svhn_cropped"),
}


def load(name: str, data_dir: str | None = None) -> ImageDataset:
    """Loads a data set into memory.

    Args:
        name: a key of `DATASETS`, any TensorFlow Datasets name (`kmnist`, `emnist/letters` ...), or
            the path of an `.npz` file of one's own (see `npz_file`).
        data_dir: where TensorFlow Datasets keeps its data; None for its own choice.

    Returns:
        An `ImageDataset`.

    Raises:
        InputError: no such set, it cannot be fetched, or it is not image classification.

    Example:
        dataset = load("mnist5k")
        dataset.train.images.shape  # (4000, 28, 28, 1)
    """
    if name.endswith(".npz"):
        return npz_file.load(name)
    loader = DATASETS.get(name, functools.partial(tfds_datasets.load, name))
    return loader(data_dir)

"""Image data sets by name, all with pixels in [0, 1] and channels last."""

import functools

from robust_keras.data import local_files, mnist5k, tfds_datasets
from robust_keras.data.checks import check_images, check_labels
from robust_keras.data.class_fit import check_model_classes, check_trainable
from robust_keras.data.class_order import in_order_of
from robust_keras.data.datasets import (
    ImageDataset,
    ImageSplit,
    Loader,
    channel_statistics,
    description,
    hold_out,
)

__all__ = [
    "DATASETS",
    "ImageDataset",
    "ImageSplit",
    "channel_statistics",
    "check_images",
    "check_labels",
    "check_model_classes",
    "check_trainable",
    "description",
    "hold_out",
    "in_order_of",
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
        name: a key of `DATASETS`, the path of an `.npz` file or of a directory of one's own (see
            `array_file` and `class_folders`), or any TensorFlow Datasets name (`kmnist`,
            `emnist/letters` ...).
        data_dir: where TensorFlow Datasets keeps its data; None for its own choice.

    Raises:
        InputError: no such set, it cannot be fetched, or it is not image classification.

    Example:
        dataset = load("mnist5k")
        dataset.train.images.shape  # (4000, 28, 28, 1)
    """
    if name in DATASETS:
        return DATASETS[name](data_dir)
    if local_files.is_local(name):
        return local_files.load(name)
    return tfds_datasets.load(name, data_dir)

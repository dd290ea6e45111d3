"""Image data sets by name, all with pixels in [0, 1] and channels last."""

from typing import Any

from robust_keras.data import local_files, mnist5k, tfds_datasets
from robust_keras.data.checks import check_images, check_labels
from robust_keras.data.class_fit import check_model_classes, check_trainable
from robust_keras.data.class_order import in_order_of
from robust_keras.data.datasets import (
    ImageDataset,
    ImageSplit,
    channel_statistics,
    description,
    hold_out,
)
from robust_keras.data.tfds_datasets import DATASETS
from robust_keras.errors import InputError

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


def load(
    name: str,
    data_dir: str | None = None,
    *,
    image_size: int | None = None,
    stream: bool = False,
) -> ImageDataset:
    """Loads a data set: into memory, or what is known of it, where its images do not fit there.

    Args:
        name: one of `DATASETS`, the path of an `.npz` file or of a directory of one's own (see
            `array_file` and `class_folders`), or any TensorFlow Datasets name (`kmnist`,
            `emnist/letters` ...).
        data_dir: where TensorFlow Datasets keeps its data; None for its own choice.
        image_size: height and width that the images of a set of TensorFlow Datasets are brought to,
            in pixels; None for their own.
        stream: whether the images of such a set are read from the disk when they are asked for,
            even where they fit into memory.

    Raises:
        InputError: no such set, it cannot be fetched, or it is not image classification.

    Example:
        dataset = load("mnist5k")
        dataset.train.images.shape  # (4000, 28, 28, 1)
    """
    reading: dict[str, Any] = {"image_size": image_size, "stream": stream}
    ours = name == "mnist5k"
    if not ours and (name in DATASETS or not local_files.is_local(name)):
        return tfds_datasets.load(name, data_dir, **reading)
    for flag, value in reading.items():
        if value:
            expected = f"nothing with --dataset={name}, which is none of TensorFlow Datasets"
            raise InputError.expected(f"--{flag}", expected, value)
    return mnist5k.load(data_dir) if ours else local_files.load(name)

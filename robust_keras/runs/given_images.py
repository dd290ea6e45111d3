"""Images and labels as a Python program has them: arrays, or one tf.data.Dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.data import ImageDataset, ImageSplit
from robust_keras.errors import InputError

NAME = "in-memory"
# Batches, and single images, of a grey or coloured picture.
_BATCHED, _SINGLE = 4, 3


def dataset_of(
    images: Any, labels: Any = None, class_names: Sequence[str] | None = None
) -> ImageDataset:
    """The images and labels as a data set whose test images they are.

    Args:
        images: array (images, height, width[, channels]), uint8 or floats in [0, 1]; or a
            `tf.data.Dataset` of (image, label), batched or not.
        labels: int array (images,) or (images, 1), or None where the data set has them.
        class_names: one a class; None where they are known by number.

    Raises:
        InputError: images or labels cannot be used.
    """
    if isinstance(images, tf.data.Dataset):
        if labels is not None:
            raise InputError.expected("labels", "none beside a tf.data.Dataset", "some")
        images, labels = _collected(images)
    if labels is None:
        raise InputError.expected("labels", "an array of class numbers, one an image", "none")
    images, labels = np.asarray(images), np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # As keras.datasets has them.
    if images.ndim == _SINGLE:
        images = images[..., np.newaxis]
    split = ImageSplit(images, labels)
    if class_names is not None:
        return ImageDataset(NAME, None, split, tuple(class_names))
    count = max(int(split.labels.max()) + 1, 2)
    names = tuple(str(number) for number in range(count))
    return ImageDataset(NAME, None, split, names, numbered=True)


def _collected(dataset):
    """The arrays of a data set that is read to its end."""
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise InputError.expected("images", "a tf.data.Dataset that ends (take(n))", "one repeated")
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        raise InputError.expected("images", "a tf.data.Dataset of (image, label)", f"one of {spec}")
    batched = spec[0].shape.rank == _BATCHED
    parts = list(dataset.as_numpy_iterator())
    if not parts:
        raise InputError.expected("images", "at least one image", "an empty tf.data.Dataset")
    join = np.concatenate if batched else np.stack
    return join([part[0] for part in parts]), join([part[1] for part in parts])

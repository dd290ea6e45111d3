"""Images and labels as a Python program has them: arrays, or one tf.data.Dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.data import ImageDataset, ImageSplit
from robust_keras.data.array_images import read_images
from robust_keras.data.array_labels import read_labels
from robust_keras.errors import InputError

NAME = "in-memory"
_SPLIT = "test"
# Batches of grey or coloured pictures.
_BATCHED = 4


def dataset_of(
    images: Any, labels: Any = None, class_names: Sequence[str] | None = None
) -> ImageDataset:
    """The images and labels as a data set whose test images they are, read as a file's are.

    Args:
        images: array (images, height, width[, channels]) of bytes, floats in [0, 1], or what else
            `data.array_images` reads; or a `tf.data.Dataset` of (image, label), batched or not.
        labels: array of class numbers, one-hot rows, truth values or names
            (`data.array_labels`), or None where the data set has them.
        class_names: one a class; None where they are known by number, or the labels are names.

    Raises:
        InputError: images or labels cannot be used.
    """
    if isinstance(images, tf.data.Dataset):
        if labels is not None:
            raise InputError.expected("labels", "none beside a tf.data.Dataset", "some")
        images, labels = _collected(images)
    if labels is None:
        raise InputError.expected("labels", "an array of class numbers, one an image", "none")
    images, labels = _array(images, "images"), _array(labels, "labels")
    pixels, notes = read_images({_SPLIT: images}, {_SPLIT: "images"})
    known = None if class_names is None else np.array(list(class_names))
    read = read_labels({_SPLIT: labels}, {_SPLIT: "labels"}, known)
    split = ImageSplit(pixels[_SPLIT], read.numbers[_SPLIT])
    return ImageDataset(
        NAME, None, split, read.class_names, numbered=read.numbered, notes=(*notes, *read.notes)
    )


def _array(values, name):
    """A numpy array of what may be a list, a tensor or text in Python objects."""
    try:
        array = np.asarray(values)
    except ValueError as error:  # Rows of different lengths.
        raise InputError.expected(name, "an array", f"{type(values).__name__} ({error})") from error
    if array.dtype == object and array.ndim == 1 and all(isinstance(v, str) for v in array):
        return array.astype(np.str_)  # As pandas and Keras's text data have names.
    return array


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

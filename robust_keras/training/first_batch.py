"""Looking at the first images that `fit` or `evaluate` is given, whatever kind of data they are."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError

_IMAGES = 1024  # of an array, from all over it


def looked_at(data: Any, look: Callable) -> Any:
    """The data for Keras, once `look(images)` has seen, or will see, the first batch.

    Arrays are looked at as they are, in up to 1,024 images; a `tf.data.Dataset` in the first batch
    of every epoch, as it comes by, so that no element of a set that can be read once is lost.

    Args:
        data: what Keras takes as `x`: an array, a `tf.data.Dataset`, a `keras.utils.PyDataset`,
            an iterator, or an iterable of batches.
        look: function of one array of images, which raises where they cannot be used.

    Returns:
        The same data, or a dataset or iterator that gives the same batches.

    Raises:
        InputError: the images are several arrays.
    """
    if data is None:
        return data
    if isinstance(data, tf.data.Dataset):
        return _watched(data, look)
    if isinstance(data, keras.utils.PyDataset):
        look(images_of(data[0]))
        return data
    if is_array(data):
        look(_sample(data))
        return data
    if isinstance(data, dict):
        _refuse(data)
    if iter(data) is data:
        first = next(data)
        look(images_of(first))
        return _chained(first, data)
    if not isinstance(data, tf.distribute.DistributedDataset):
        look(images_of(next(iter(data))))
    return data


def is_array(data: Any) -> bool:
    """Whether data are images themselves, not batches of them."""
    return hasattr(data, "shape") or (isinstance(data, list | tuple) and np.ndim(data) > 0)


def images_of(batch: Any) -> Any:
    """The images in one batch (images, labels, ...)."""
    images = batch[0] if isinstance(batch, tuple | list) else batch
    if isinstance(images, dict | tuple | list):
        _refuse(images)
    return images


def _sample(array):
    """Images from all over an array."""
    step = max(1, -(-len(array) // _IMAGES))
    return np.asarray(array[::step])


def _watched(dataset, look):
    """The dataset, whose first batch of every epoch is looked at on its way."""

    def see(images):
        look(images)
        return images

    # Stateless, and on the way of the images: with a stateful operation in it, all of a dataset
    # loses its parallel calls where operations are deterministic (tf.data's make_deterministic).
    def seen(images):
        same = tf.numpy_function(see, [images], images.dtype, stateful=False)
        return tf.ensure_shape(same, images.shape)

    def through(index, element):
        images = images_of(element)
        passed = tf.cond(tf.equal(index, 0), lambda: seen(images), lambda: tf.identity(images))
        return (passed, *element[1:]) if isinstance(element, tuple) else passed

    images_of(dataset.element_spec)
    return dataset.enumerate().map(through)


def _chained(first, rest):
    """A generator, as Keras knows one by its type."""
    yield from itertools.chain([first], rest)


def _refuse(received):
    kind = type(received).__name__
    raise InputError.expected("images", "one array of images", f"a {kind} of several")

"""The pixels that a stranger's model takes, made of those in [0, 1]."""

import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError

# The means of ImageNet's blue, green and red, in bytes, as Caffe's models were trained.
_CAFFE_MEANS = (103.939, 116.779, 123.68)


def _caffe(images):
    return tf.reverse(images, axis=[-1]) * 255.0 - tf.constant(_CAFFE_MEANS, images.dtype)


# From float images (batch, height, width, channels) in [0, 1]; epsilons stay there too.
PIXELS = {
    "0..1": lambda images: images,
    "0..255": lambda images: images * 255.0,
    "-1..1": lambda images: images * 2.0 - 1.0,
    "caffe": _caffe,
}
BYTES = "0..255"
_MEANS_OFF = "pixels in 0..255 with their mean off"
# To a model of small numbers such images are black and white, and simple ones still recognised.
LARGE = frozenset({BYTES, "caffe", _MEANS_OFF})
MEANINGS = {
    "0..1": "pixels in 0..1",
    "0..255": "pixels in 0..255",
    "-1..1": "pixels in -1..1",
    "caffe": "pixels as Caffe's models (BGR, 0..255, ImageNet's means off)",
}


def without_a_name(images: np.ndarray) -> dict[str, Callable]:
    """Ways to show pixels that only the model's author knows exactly, by the words for them.

    Args:
        images: float array (images, height, width, channels) in [0, 1], of the data set: their
            mean and deviation stand for those of the training images, channel by channel.

    Returns:
        Functions of such images, each name for one that `--model_pixels` does not have.
    """
    mean = images.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
    spread = np.maximum(images.std(axis=(0, 1, 2), dtype=np.float64), 1e-6).astype(np.float32)
    return {
        "pixels of mean 0 and variance 1": lambda shown: (shown - mean) / spread,
        "pixels in -0.5..0.5": lambda shown: shown - 0.5,
        _MEANS_OFF: lambda shown: (shown - mean) * 255.0,
    }


def possible(channels: int | None, *, whole: bool) -> tuple[str, ...]:
    """The names in `PIXELS` that a model may take, the most usual first.

    Args:
        channels: of its images, None where that is open.
        whole: whether it takes whole numbers.
    """
    if whole:
        return (BYTES,)
    return tuple(name for name in PIXELS if name != "caffe" or channels in (None, 3))


def require_possible(
    path: str | pathlib.Path, pixels: str, channels: int | None, *, whole: bool
) -> None:
    """Raises InputError where a model cannot take such pixels.

    Args:
        path: of the model.
        pixels: a name in `PIXELS`.
        channels: of its images, None where that is open.
        whole: whether it takes whole numbers.
    """
    names = possible(channels, whole=whole)
    if pixels in names:
        return
    kind = "whole numbers" if whole else f"images of {channels} channels"
    raise InputError.expected(
        f"--model_pixels={pixels}",
        f"{' or '.join(('auto', *names))} for {path}, which takes {kind}",
        pixels,
    )

"""Where the pixels of an image lie in what a stranger's model takes."""

import dataclasses
import functools
import math
import typing
from typing import Any

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Layout:
    """One reading of a model's input.

    Args:
        image_shape: (height, width, channels) of the images in front of it; None where it is open.
        arrange: function from images (batch, height, width, channels) to the model's own order.
        note: None, or a sentence that says how they are arranged.
    """

    image_shape: tuple
    arrange: typing.Callable
    note: str | None = None


def layout_of(own_shape: Any, image_shape: tuple[int, ...] | None = None) -> Layout | None:
    """The only way to read a model's input as images, or None where there is none.

    Channels last is this program's own order and needs no reason. Another is taken only where
    channels last cannot hold the data set's images and the other one alone can: channels first,
    grey images without an axis for the channel, grey images as one row of pixels.

    Args:
        own_shape: of one input of the model, without the batch; None for an unknown rank.
        image_shape: (height, width, channels) of the data set, or None where that is not known.
    """
    if own_shape is None:
        return None
    own_shape = tuple(own_shape)
    if image_shape is None:
        return Layout(own_shape, _as_it_is) if len(own_shape) == 3 else None
    image_shape = tuple(image_shape)
    if fits(own_shape, image_shape):
        return Layout(own_shape, _as_it_is)
    height, width, channels = image_shape
    if fits(own_shape, (channels, height, width)):
        shape = (*own_shape[1:], own_shape[0])
        return Layout(shape, _channels_first, "It takes the channels first: images are turned.")
    if channels == 1 and fits(own_shape, (height, width)):
        note = "It takes images without an axis for the channel: the only channel is handed over."
        return Layout((*own_shape, 1), _without_channels, note)
    if channels == 1 and fits(own_shape, (math.prod(image_shape),)):
        size = math.prod(image_shape)
        note = f"It takes an image as one row of {size} pixels: its lines are put in a row."
        return Layout(image_shape, functools.partial(_row, size), note)
    return None


def fits(own_shape: Any, shape: Any) -> bool:
    """Whether an input of a shape, None for open sides, takes something of another."""
    pairs = zip(own_shape, shape, strict=False)
    return len(own_shape) == len(shape) and all(own in (None, side) for own, side in pairs)


def _as_it_is(images):
    return images


def _channels_first(images):
    return tf.transpose(images, (0, 3, 1, 2))


def _without_channels(images):
    return images[..., 0]


def _row(size, images):
    return tf.reshape(images, (-1, size))

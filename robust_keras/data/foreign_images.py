"""Images of one data set in the shape of another's: what a model was never trained on."""

import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError

# ITU-R BT.601, as Pillow and TensorFlow make grey.
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_GREY_CHANNELS, _COLOURED = 1, 3


def in_shape(images: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, str]:
    """Images in another shape, and how they came into it.

    Args:
        images: float32 array (images, height, width, channels) in [0, 1].
        shape: (height, width, channels) that is wanted.

    Returns:
        `(images, told)`: float32 array (images, *shape) in [0, 1], and a text, "" where nothing
        was done.

    Raises:
        InputError: the channels are neither the same nor 1 and 3.
    """
    images, colour = _in_channels(images, shape[-1])
    if images.shape[1:3] == tuple(shape[:2]):
        return images, colour
    sides = " x ".join(map(str, images.shape[1:3]))
    scaled = tf.image.resize(images, shape[:2], method="bilinear", antialias=True).numpy()
    size = f"scaled from {sides} (bilinear, antialiased)"
    return np.clip(scaled, 0.0, 1.0), f"{colour}, {size}" if colour else size


def _in_channels(images, channels):
    own = images.shape[-1]
    if own == channels:
        return images, ""
    if (own, channels) == (_COLOURED, _GREY_CHANNELS):
        return (images @ _GREY)[..., np.newaxis], "grey as 0.299 R + 0.587 G + 0.114 B"
    if (own, channels) == (_GREY_CHANNELS, _COLOURED):
        return np.repeat(images, channels, axis=-1), "grey in all three channels"
    raise InputError.expected("--nonsense", f"images of {channels} channels, or of 1 or 3", own)

"""One function of a model, and the same function behind a view of its input."""

import dataclasses
import typing
from typing import Any

import tensorflow as tf

_HALF = 0.499


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """One function of a model, from one batch to named tensors.

    Args:
        name: the signature's name, or another word for the function.
        call: (batch, ...) tensor of `dtype` -> dict from name to tensor.
        batch_shape: the input's shape; None where it is open.
        dtype: the input's `tf.DType`.
        variables: the variables that the function reads.
        owner: whatever must stay alive for the function to work.
    """

    name: str
    call: typing.Callable
    batch_shape: tuple
    dtype: tf.DType
    variables: tuple = ()
    owner: object = None

    def run(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """All outputs for float32 images of any batch size that the function takes."""
        return self.call(tf.cast(images, self.dtype))

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers."""
        return self.dtype.is_integer


def viewed(endpoint: Endpoint, layout: Any, pixels: str, *, whole: bool) -> Endpoint:
    """The endpoint as a function of float32 images in [0, 1], channels last.

    Args:
        endpoint: `Endpoint` of a model.
        layout: `views.layout.Layout`.
        pixels: function from such images to the model's own pixels.
        whole: whether the model takes whole numbers; a gradient goes straight through the rounding.
    """

    def call(images):
        own = layout.arrange(pixels(images))
        return endpoint.run(_rounded(own) if whole else own)

    shape = (endpoint.batch_shape[0], *layout.image_shape)
    return dataclasses.replace(endpoint, call=call, batch_shape=shape, dtype=tf.float32)


@tf.custom_gradient
def _rounded(pixels):
    """Whole numbers in 0..255, and the identity on the way back.

    At epsilon 0.1 the edge of the ball lies half way between two bytes, where the last digit of a
    float decides; an image must not change its class by that, so halves always go down.
    """
    return tf.clip_by_value(tf.floor(pixels + _HALF), 0.0, 255.0), lambda upstream: upstream

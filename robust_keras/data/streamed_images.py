"""Images that stay in their files and are read when they are asked for."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.data.record_index import RecordIndex

_READ_AT_ONCE = 64
# The middle of an image whose shorter side is by so much longer, as ImageNet is evaluated.
_MARGIN = 8 / 7


@dataclasses.dataclass(frozen=True, eq=False)
class StreamedImages:
    """What an array (images, height, width, channels) of bytes shows, without its memory.

    Indexing with a slice or an array gives another one; `numpy.asarray` reads all of it.

    Attributes:
        index: `RecordIndex`.
        rows: int array (images,), which of its examples, in their order.
        key: of the image in a record.
        image_shape: (height, width, channels).
        resized: whether images of any size are brought to that: the shorter side to 8/7 of it, and
            of that the middle.
    """

    index: RecordIndex
    rows: np.ndarray
    key: str
    image_shape: tuple[int, int, int]
    resized: bool = False

    dtype = np.dtype(np.uint8)
    ndim = 4

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, height, width, channels)."""
        return len(self.rows), *self.image_shape

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, places: Any) -> "StreamedImages":
        return dataclasses.replace(self, rows=np.atleast_1d(self.rows[places]))

    def __array__(self, dtype=None, copy=None):
        images = np.empty(self.shape, np.uint8)
        for first in range(0, len(self), _READ_AT_ONCE):
            places = tf.range(first, min(first + _READ_AT_ONCE, len(self)), dtype=tf.int64)
            images[first : first + len(places)] = self.gather(places)
        return images if dtype is None else images.astype(dtype, copy=False)

    def joined(self, other: "StreamedImages") -> "StreamedImages":
        """The images of both, the other's behind."""
        rows = np.concatenate([self.rows, other.rows + len(self.index.labels)])
        return dataclasses.replace(self, index=self.index.joined(other.index), rows=rows)

    def gather(self, places: tf.Tensor) -> tf.Tensor:
        """The images at places: uint8 (places, height, width, channels); in graphs, too."""
        records = tf.numpy_function(
            lambda wanted: self.index.read(self.rows[wanted]), [places], tf.string
        )
        feature = {self.key: tf.io.FixedLenFeature((), tf.string)}
        files = tf.io.parse_example(tf.ensure_shape(records, places.shape), feature)[self.key]
        spec = tf.TensorSpec(self.image_shape, tf.uint8)
        return tf.map_fn(self._picture, files, fn_output_signature=spec)

    def _picture(self, content):
        channels = self.image_shape[-1]
        pixels = tf.io.decode_image(content, channels=channels, expand_animations=False)
        if self.resized:
            pixels = _middle(pixels, self.image_shape)
        return tf.ensure_shape(pixels, self.image_shape)


def _middle(pixels, shape):
    height, width = shape[:2]
    sides = tf.cast(tf.shape(pixels)[:2], tf.float32)
    factor = _MARGIN * tf.reduce_max([height / sides[0], width / sides[1]])
    wanted = tf.cast(tf.round(factor * sides), tf.int32)
    pixels = tf.image.resize(tf.cast(pixels, tf.float32), wanted, antialias=True)
    pixels = tf.image.resize_with_crop_or_pad(pixels, height, width)
    return tf.cast(tf.clip_by_value(tf.round(pixels), 0.0, 255.0), tf.uint8)

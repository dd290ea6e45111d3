"""Which pixel values a classifier takes, and the way between them and [0, 1]."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import arguments
from robust_keras.errors import InputError

_TOLERANCE = 1e-3  # of the range; what rounding and resizing leave outside
_NARROW = 1 / 200  # of the range; bytes divided by 255 once too often span less


@dataclasses.dataclass(frozen=True)
class PixelRange:
    """What black and white are to a classifier, so that an epsilon can always mean [0, 1] pixels.

    Args:
        low: one number, or one a channel: the smallest value of a pixel.
        high: likewise, the largest.

    Raises:
        ValueError: not two finite numbers, or as many numbers a channel, the first below the other.
    """

    low: float | tuple[float, ...] = 0.0
    high: float | tuple[float, ...] = 1.0

    def __post_init__(self):
        low, high = np.asarray(self.low, np.float64), np.asarray(self.high, np.float64)
        fits = low.shape == high.shape and low.ndim <= 1 and low.size
        if not fits or not np.all(np.isfinite(low) & np.isfinite(high)) or np.any(low >= high):
            _refuse((self.low, self.high))

    @classmethod
    def of(cls, pair: Any) -> "PixelRange":
        """The range of a pair (low, high) as a user gives it."""
        if isinstance(pair, cls):
            return pair
        try:
            low, high = (_numbers(side) for side in pair)
        except (TypeError, ValueError):
            _refuse(pair)
        return cls(low, high)

    @property
    def is_unit(self) -> bool:
        """Whether pixels are in [0, 1] already."""
        return self == PixelRange()

    def to_unit(self, images: tf.Tensor) -> tf.Tensor:
        """Images of these pixels, a float tensor (batch, ..., channels), as pixels in [0, 1]."""
        return images if self.is_unit else (images - self._low(images)) / self._width(images)

    def from_unit(self, images: tf.Tensor) -> tf.Tensor:
        """The way back."""
        return images if self.is_unit else self._low(images) + self._width(images) * images

    def check(self, images: tf.Tensor, name: str = "images") -> None:
        """Refuses images that do not have these pixels.

        Args:
            images: array (batch, ..., channels), some images of the data.
            name: what they are, for the error.

        Raises:
            InputError: whole numbers for [0, 1], NaN or infinite pixels, some outside the range, or
                hardly any of it used.
        """
        self.check_dtype(images.dtype, name)
        pixels = np.asarray(images, np.float32)
        if not pixels.size:
            raise InputError.expected(name, "at least one image", "none")
        if not np.all(np.isfinite(pixels)):
            raise InputError.expected(name, "finite pixels", "NaN or infinite ones")
        if np.size(self.low) > 1 and pixels.shape[-1] != np.size(self.low):
            expected = f"{np.size(self.low)} channels, as `pixel_range` has"
            raise InputError.expected(name, expected, f"images of shape {pixels.shape[1:]}")
        self._check_values(pixels, name)

    def check_dtype(self, dtype: Any, name: str = "images") -> None:
        """Refuses whole numbers where pixels are in [0, 1]: a classifier of bytes takes others."""
        if self.is_unit and tf.as_dtype(dtype).is_integer:
            raise InputError.expected(
                name,
                "floats in [0, 1] (divide by 255), or pixel_range=(0, 255) and a classifier that "
                "takes bytes, such as one that begins with keras.layers.Rescaling(1 / 255)",
                tf.as_dtype(dtype).name,
            )

    def __str__(self):
        return f"[{_shown(self.low)}, {_shown(self.high)}]"

    def _check_values(self, pixels, name):
        received = f"{float(pixels.min()):g} .. {float(pixels.max()):g}"
        shares = self.to_unit(pixels)
        if shares.min() < -_TOLERANCE or shares.max() > 1 + _TOLERANCE:
            expected = f"pixels in {self} ({_remedy(pixels.min(), pixels.max())})"
            raise InputError.expected(name, expected, received)
        if 0 < shares.max() - shares.min() < _NARROW:
            expected = f"pixels that use the range {self} (were they divided by 255 once too often,"
            expected += " or is pixel_range too wide?)"
            raise InputError.expected(name, expected, received)

    def _low(self, images):
        return np.asarray(self.low, images.dtype if isinstance(images, np.ndarray) else np.float32)

    def _width(self, images):
        dtype = images.dtype if isinstance(images, np.ndarray) else np.float32
        return (np.asarray(self.high) - np.asarray(self.low)).astype(dtype)


def _remedy(lowest, highest):
    """What to do about pixels outside the range, in words."""
    if lowest >= 0 and highest > 1:
        return (
            "divide by 255, or give pixel_range=(0, 255) and a classifier that takes such pixels, "
            "such as one that begins with keras.layers.Rescaling(1 / 255)"
        )
    if lowest >= -1 and highest <= 1:
        return "rescale, or give pixel_range=(-1, 1) to a classifier that takes such pixels"
    return (
        "give pixel_range=(low, high), the values of black and of white, one number or one a "
        "channel; or leave standardising to a keras.layers.Normalization inside the classifier; "
        "or clip what augmentation adds"
    )


def _numbers(side):
    """One float, or a tuple of one float a channel."""
    values = np.asarray(side, np.float64)
    return float(values) if values.ndim == 0 else tuple(values.ravel().tolist())


def _shown(side):
    values = np.atleast_1d(side)
    text = ", ".join(f"{value:g}" for value in values)
    return text if values.size == 1 else f"({text})"


def _refuse(received):
    arguments.refuse(
        "pixel_range",
        "(low, high), finite numbers or one number a channel, low below high",
        received,
    )

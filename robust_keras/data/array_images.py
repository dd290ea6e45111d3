"""Images as people store them: read as bytes or floats in [0, 1], or refused with what to do."""

import math
from collections.abc import Mapping

import numpy as np

from robust_keras.errors import InputError

_CHANNELS = (1, 3, 4)
# Resizing and arithmetic in floats leave pixels this far outside.
_ROUNDING = 1e-5
# Whole numbers whose brightest is no higher may be in 0..16 or 0..15 as well as dark bytes;
# floats no higher than that of 255 may have been divided twice.
_DARK = 64


def read_images(
    arrays: Mapping[str, np.ndarray], sources: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Reads images of every split alike.

    Args:
        arrays: from each split to an array (n, height, width), or (n, height, width, channels).
        sources: from each split to the words for its images in errors.

    Returns:
        `(images, notes)`: from each split to uint8, or float32 in [0, 1], images of shape
        (n, height, width, channels); and what was read how, a sentence each.

    Raises:
        InputError: they cannot be read, or in more ways than one.
    """
    notes: list[str] = []
    shaped = {split: _shaped(arrays[split], sources[split], notes) for split in arrays}
    brightest = max(_brightest_whole(images) for images in shaped.values())
    read = {
        split: _pixels(images, brightest, sources[split], notes) for split, images in shaped.items()
    }
    floats = [images for images in read.values() if images.dtype == np.float32]
    top = max((float(images.max()) for images in floats), default=0.0)
    # Divided by 255 twice, most often: every epsilon is then larger than the pictures.
    if 0 < top <= _DARK / 255:
        notes.append(_dark(f"{top:.2g}", "1"))
    return read, tuple(dict.fromkeys(notes))


def _shaped(images, source, notes):
    if images.dtype.kind not in "biuf":
        raise InputError.expected(source, "images of numbers", f"type {images.dtype}")
    if images.ndim == 3:
        notes.append("images have no channel axis; they are read as grey")
        images = images[..., np.newaxis]
    if images.ndim != 4:
        remedy = _as_pictures(images.shape)
        raise InputError.expected(
            source, f"images of shape (n, height, width, channels){remedy}", f"shape {images.shape}"
        )
    if 0 in images.shape:
        raise InputError.expected(source, "at least one image", f"shape {images.shape}")
    if images.shape[1] in _CHANNELS and images.shape[3] not in _CHANNELS and images.shape[2] > 4:
        raise InputError.expected(
            source,
            "images with channels last, of shape (n, height, width, channels) "
            "(numpy.moveaxis(images, 1, -1) moves them there)",
            f"shape {images.shape}",
        )
    return images


def _as_pictures(shape):
    """What would make rows of pixels pictures, where that can be told."""
    if len(shape) != 2:
        return ""
    for channels in (1, 3):
        side = math.isqrt(shape[1] // channels)
        if side > 4 and side * side * channels == shape[1]:
            return f" (images.reshape(-1, {side}, {side}, {channels}), if that is their size)"
    return " (images.reshape(-1, height, width, channels))"


def _brightest_whole(images):
    return int(images.max()) if images.dtype.kind in "iu" else 0


def _pixels(images, brightest, source, notes):
    if images.dtype.kind == "b":
        notes.append("pixels are truth values: black and white")
        return images.astype(np.float32)
    if images.dtype.kind == "f":
        return _floats(images, source, notes)
    if images.min() < 0 or images.max() > 255:
        raise _refused(images, source)
    if brightest == 1:
        notes.append("pixels are 0 and 1 only: black and white")
        return images.astype(np.float32)
    if images.dtype == np.uint8:
        if 0 < brightest <= _DARK:
            notes.append(_dark(brightest, "255"))
        return images
    if 0 < brightest <= _DARK:
        raise _refused(images, source)
    notes.append(f"pixels are whole numbers in 0..255 of type {images.dtype}, read as bytes")
    return images.astype(np.uint8)


def _floats(images, source, notes):
    low, high = float(images.min()), float(images.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        count = int(np.size(images) - np.count_nonzero(np.isfinite(images)))
        raise InputError.expected(
            source,
            "finite pixels (leave those images out, or numpy.nan_to_num(images))",
            f"{count} NaN or infinite pixels",
        )
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise _refused(images, source)
    images = images.astype(np.float32)
    if images.min() < 0 or images.max() > 1:
        notes.append("pixels a rounding error outside [0, 1] are clipped to it")
        images = np.clip(images, 0, 1)
    return images


def _dark(brightest, white):
    return f"the brightest pixel is {brightest} of {white}; divide by {brightest} if that is white"


def _refused(images, source):
    """The error for pixels that are not in [0, 1], with what to do."""
    low, high = float(images.min()), float(images.max())
    return InputError.expected(
        source, f"pixels in [0, 1]{_remedy(low, high)}", f"{low:g}..{high:g}"
    )


def _remedy(low, high):
    if low >= 0 and high <= _DARK:
        return f" (divide by {high:g}, if that is white, or by 255?)"
    if low >= 0 and high <= 255:
        return " (divide by 255?)"
    if low >= 0:
        white = 2 ** math.ceil(math.log2(high + 1)) - 1 if high < 2**32 else high
        return f" (divide by the value of white, such as {white:g})"
    if low >= -1 and high <= 1:
        return " ((images + 1) / 2, if they are in [-1, 1])"
    if low >= -128 and high <= 127:
        return " (undo what was subtracted and divided: images * deviation + mean)"
    return " (undo the standardisation: images * deviation + mean)"

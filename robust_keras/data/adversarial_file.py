"""Adversarial images that somebody else made: an `.npz` file with `index` and `images`."""

import numpy as np

from robust_keras.data import memory
from robust_keras.data.archive import Archive

SETTING = "--adversarial_images"
_FORMAT = (
    "an .npz file with `index` (n,), each image's place among those attacked, and `images` "
    "(n, height, width, channels)"
)
# Bytes are read as such; among floats one beyond it tells another unit of pixels.
_BRIGHTEST = 2.0


def load(path: str, image_shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Reads the file; whether its images may count is not asked here.

    Args:
        path: of the `.npz` file. `index` may be called `indices`, as in a file of our own.
        image_shape: (height, width, channels) of the images attacked.

    Returns:
        `(index, images)`: int64 (n,), each at least 0, and float32 (n, height, width, channels),
        which may hold anything.

    Raises:
        InputError: the file is damaged, too large, or holds other arrays; one line.
    """
    archive = Archive(path, SETTING)
    names = ["indices" if "indices" in archive.headers else "index", "images"]
    missing = [name for name in names if name not in archive.headers]
    if missing:
        raise archive.error(_FORMAT, f"no `{missing[0]}`")
    index, images = (archive.headers[name] for name in names)
    shape = (*index.shape[:1], *image_shape)
    if len(index.shape) != 1 or images.shape != shape or not index.shape[0]:
        expected = f"{_FORMAT}, here {image_shape}, at least one"
        raise archive.error(expected, f"shapes {index.shape} and {images.shape}")
    memory.check_size(index.size + images.size, SETTING)
    return _places(archive, archive.read(names[0])), _pixels(archive, archive.read("images"))


def _places(archive, index):
    if index.dtype.kind not in "iu" or index.min() < 0:
        raise archive.error("`index` of whole numbers from 0 on", f"{index.dtype}, {index.min()}")
    return index.astype(np.int64)


def _pixels(archive, images):
    if images.dtype == np.uint8:
        return (images / 255.0).astype(np.float32)
    if images.dtype.kind != "f":
        raise archive.error("`images` of floats in [0, 1], or of bytes", f"type {images.dtype}")
    images = images.astype(np.float32)
    # What is not finite is refused image by image.
    if np.nanmax(images, initial=-np.inf, where=np.isfinite(images)) > _BRIGHTEST:
        raise archive.error("`images` in [0, 1] (divide by 255?)", f"up to {np.nanmax(images):g}")
    return images

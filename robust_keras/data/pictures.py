"""Picture files: Pillow is used in this file only, and imported only when pictures are read."""

import contextlib
import dataclasses
import pathlib
import warnings
from collections.abc import Sequence

import numpy as np

from robust_keras.errors import InputError

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
_GREY = {"1", "L"}
_COLOUR = {"RGB", "P", "RGBA", "LA", "PA", "CMYK", "YCbCr"}
_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Format:
    """What pictures become.

    Attributes:
        size: (height, width) of each.
        mode: `L` for grey pictures, `RGB` for others.
    """

    size: tuple[int, int]
    mode: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return (*self.size, 1 if self.mode == "L" else 3)


def look_at(paths: Sequence[pathlib.Path], source: str) -> tuple[Format, tuple[str, ...]]:
    """Finds the one size of pictures and whether all are grey, from their headers.

    Args:
        paths: files, at least one.
        source: whose pictures, for the error text.

    Returns:
        `(format, notes)`: a `Format`, and what is read how, a sentence each.

    Raises:
        InputError: some cannot be read, or differ in size.
    """
    seen, unreadable = {}, []
    for path in paths:
        try:
            with _opened(path) as picture:
                seen[path] = (picture.size[::-1], picture.mode)
        # Pillow's readers of damaged files raise almost anything.
        except Exception as error:
            unreadable.append((path, error))
    if unreadable:
        raise _unreadable(unreadable, source)
    _check_sizes({path: size for path, (size, _) in seen.items()}, source)
    _check_modes({path: mode for path, (_, mode) in seen.items()}, source)
    (size, _) = seen[paths[0]]
    modes = {mode for _, mode in seen.values()}
    notes = ("grey and coloured pictures are mixed: all are read as RGB",)
    mixed = bool(modes & _GREY and modes - _GREY)
    return Format(size, "L" if modes <= _GREY else "RGB"), notes if mixed else ()


def read(paths: Sequence[pathlib.Path], picture_format: Format, source: str) -> np.ndarray:
    """Reads pictures into memory.

    Args:
        paths: files, at least one.
        picture_format: `Format` that `look_at` found.
        source: whose pictures, for the error text.

    Returns:
        A uint8 array (n, height, width, channels).

    Raises:
        InputError: some cannot be decoded.
    """
    images = np.empty((len(paths), *picture_format.shape), np.uint8)
    unreadable = []
    for place, path in enumerate(paths):
        try:
            with _opened(path) as picture:
                pixels = np.asarray(_opaque(picture).convert(picture_format.mode))
                images[place] = pixels.reshape(picture_format.shape)
        # As in `look_at`; bytes are decoded here only.
        except Exception as error:
            unreadable.append((path, error))
    if unreadable:
        raise _unreadable(unreadable, source)
    return images


@contextlib.contextmanager
def _opened(path):
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError.expected(
            "--dataset", "the Pillow package, which reads pictures (pip install pillow)", str(error)
        ) from error
    with warnings.catch_warnings():
        # Pillow warns of a picture that would fill the memory and raises at twice its size.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(path) as picture:
            # Telephones put a second view into a JPEG (MPO); the first is the picture.
            if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":
                raise ValueError(f"{picture.n_frames} frames, not one")
            yield picture


def _opaque(picture):
    """The picture, unless some of it can be seen through: then there is no telling its colour."""
    if "A" in picture.mode or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        if picture.getextrema()[3][0] < 255:
            raise ValueError("transparent pixels; save it on a background")
    return picture


def _unreadable(found, source):
    if isinstance(found[0][1], InputError):
        return found[0][1]
    shown = ", ".join(f"{path} ({_reason(error)})" for path, error in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return InputError.expected(
        source, "pictures that can be read (remove or replace those that cannot)", shown + more
    )


def _reason(error):
    # Pillow repeats the path in the most frequent of its errors.
    text = str(error).partition(" '")[0]
    return text[:100] or type(error).__name__


def _check_sizes(sizes, source):
    counts = {}
    for path, size in sizes.items():
        counts.setdefault(size, []).append(path)
    if len(counts) == 1:
        return
    common, *others = sorted(counts.values(), key=len, reverse=True)
    odd = others[0][0]
    raise InputError.expected(
        source,
        f"pictures of one size (resize them all to the size of the model's images; {len(common)} "
        f"are {_words(sizes[common[0]])})",
        f"{len(counts)} sizes, such as {odd} of {_words(sizes[odd])}",
    )


def _check_modes(modes, source):
    odd = [path for path, mode in modes.items() if mode not in _GREY | _COLOUR]
    if odd:
        raise InputError.expected(
            source,
            "pictures of 8 bits a channel (save an .npz file with floats in [0, 1] for others)",
            f"{odd[0]} of mode {modes[odd[0]]}",
        )


def _words(size):
    return f"{size[0]} x {size[1]} (height x width)"

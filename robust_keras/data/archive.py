"""Arrays in files that anybody may have made: looked at by their headers before they are read."""

import contextlib
import dataclasses
import functools
import math
import os
import pathlib
import warnings
import zipfile

import numpy as np

from robust_keras.errors import InputError

_SUFFIX = ".npy"
# More than any data set has, few enough to look at each.
_MOST_ARRAYS = 1000
# Booleans, whole numbers, floats and text; what else there is (objects, records, dates, complex
# numbers) is neither pixels nor labels.
_KINDS = "biufSU"


@dataclasses.dataclass(frozen=True)
class Header:
    """What a file says of one of its arrays.

    Attributes:
        shape: its shape.
        dtype: its numpy type.
        size: bytes of its values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @property
    def size(self) -> int:
        """Bytes of its values, a Python integer, as what a header claims may be anything."""
        return math.prod(self.shape) * self.dtype.itemsize


class Archive:
    """The arrays of an `.npz` file, or of a directory of `.npy` files.

    Nothing but headers is read until `read` is called, and no pickled object ever is.

    Args:
        path: the file or directory.
        setting: what named it, for errors.

    Attributes:
        path: as given.
        headers: from the name of each array to its `Header`.

    Raises:
        InputError: damaged, unreadable, or another kind of file.

    Example:
        archive = Archive("mine.npz")
        if archive.headers["x_train"].size < 2**30:
            images = archive.read("x_train")
    """

    def __init__(self, path: str | pathlib.Path, setting: str = "--dataset"):
        self.path = path
        self._setting = setting
        with self._understood(), self._members() as members:
            found = sorted(members)
            if len(found) > _MOST_ARRAYS:
                raise self.error(f"at most {_MOST_ARRAYS} arrays", f"{len(found)}")
            self.headers = {name: self._header(name, *members[name]) for name in found}

    def read(self, name: str) -> np.ndarray:
        """The array of that name."""
        with self._understood(name), self._members() as members:
            open_member, _ = members[name]
            with open_member() as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)

    def error(self, expected: str, received: object) -> InputError:
        """An `InputError` about this file."""
        return InputError.expected(self._setting, f"{expected} in {self.path}", received)

    def _header(self, name, open_member, stored):
        with open_member() as stream:
            shape, dtype = _read_header(stream)
            start = stream.tell()
        header = Header(shape, dtype)
        if dtype.hasobject:
            raise self.error(
                "numbers or text (pickled objects could run code and are not read; save the array "
                "with .astype(str), or stack the images into one array)",
                f"{name} of Python objects",
            )
        if dtype.kind not in _KINDS:
            raise self.error("numbers or text", f"{name} of type {dtype}")
        if start + header.size > stored:
            shown = f"{name} of shape {shape}, {header.size} bytes, in {stored - start}"
            raise self.error("as many bytes as each array's header tells", shown)
        return header

    @contextlib.contextmanager
    def _members(self):
        """From the name of each array to a function that opens it and its bytes with header."""
        if os.path.isdir(self.path):
            yield {
                path.name.removesuffix(_SUFFIX): (
                    functools.partial(path.open, "rb"),
                    path.stat().st_size,
                )
                for path in pathlib.Path(self.path).iterdir()
                if path.name.endswith(_SUFFIX) and path.is_file()
            }
            return
        with zipfile.ZipFile(self.path) as archive:
            yield {
                info.filename.removesuffix(_SUFFIX): (
                    functools.partial(archive.open, info),
                    info.file_size,
                )
                for info in archive.infolist()
                if info.filename.endswith(_SUFFIX)
            }

    @contextlib.contextmanager
    def _understood(self, name=None):
        """Damage of any kind becomes one line."""
        try:
            with warnings.catch_warnings():
                # The parser of headers warns of what it cannot read before it raises.
                warnings.simplefilter("ignore")
                yield
        except InputError:
            raise
        # zipfile, zlib, struct, the tokenizer of headers, numpy and memory: a damaged byte can
        # raise almost anything, and all of it means the same.
        except Exception as error:
            where = f"{self.path}, array {name}" if name else self.path
            reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise InputError.expected(
                self._setting,
                "a readable .npz file, as numpy.savez writes it (damaged ones must be copied or "
                "downloaded again)",
                f"{where} ({reason[:160]})",
            ) from error


def _read_header(stream):
    version = np.lib.format.read_magic(stream)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        # The third version is for records with names beyond Latin-1.
        raise ValueError(f"a header of version {version}")
    shape, _, dtype = readers[version](stream)
    if any(type(side) is not int or side < 0 for side in shape):
        raise ValueError(f"a shape of {shape}")
    return shape, dtype

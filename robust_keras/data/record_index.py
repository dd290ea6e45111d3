"""Where each example of a data set lies in its record files, so that it can be read by itself."""

import dataclasses
import functools
import pathlib
import struct
from collections.abc import Sequence

import numpy as np

from robust_keras.directories import whole_files

# A TFRecord: length, its checksum, that many bytes, their checksum.
_LENGTH, _BEFORE, _BEHIND = 8, 12, 4


@dataclasses.dataclass(frozen=True, eq=False)
class RecordIndex:
    """Places of examples in files.

    Attributes:
        files: paths of the record files.
        number: int array (examples,), which of the files.
        start: int64 array (examples,), of the first byte.
        length: int64 array (examples,), in bytes.
        labels: int64 array (examples,).
    """

    files: tuple[str, ...]
    number: np.ndarray
    start: np.ndarray
    length: np.ndarray
    labels: np.ndarray

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The records of the examples at `rows`, an object array of bytes.

        Raises:
            ValueError: a file is shorter than it was.
        """
        found = np.empty(len(rows), object)
        for place, row in enumerate(rows):
            with open(self.files[self.number[row]], "rb") as stream:
                stream.seek(self.start[row])
                found[place] = stream.read(self.length[row])
            if len(found[place]) != self.length[row]:
                raise ValueError(f"{self.files[self.number[row]]} ends too early")
        return found

    def joined(self, other: "RecordIndex") -> "RecordIndex":
        """The examples of both, the other's behind."""
        arrays = {
            name: np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("start", "length", "labels")
        }
        number = np.concatenate([self.number, other.number + len(self.files)])
        return RecordIndex(files=self.files + other.files, number=number, **arrays)

    def save(self, path: pathlib.Path) -> None:
        """Writes all but the names of the files, with their sizes.

        Raises:
            InputError: it cannot be written.
        """
        arrays = {name: getattr(self, name) for name in ("number", "start", "length", "labels")}
        with whole_files.writing(path) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, sizes=_sizes(self.files), **arrays)

    @classmethod
    def kept(cls, path: pathlib.Path, files: Sequence[str]) -> "RecordIndex | None":
        """What `save` wrote of the same files, or None where there is none."""
        try:
            with np.load(path) as found:
                values = dict(found)
            same = np.array_equal(values.pop("sizes"), _sizes(files))
            return cls(files=tuple(files), **values) if same else None
        # A damaged archive raises nearly everything.
        except Exception:
            return None

    @classmethod
    def of(
        cls, files: Sequence[str], places: Sequence[tuple[int, int]], labels: Sequence[int]
    ) -> "RecordIndex":
        """The index of examples that are known by their place.

        Args:
            files: paths of record files.
            places: of each example its file's place in `files`, and its own in that file.
            labels: of each example.

        Raises:
            ValueError: a file is damaged.
        """
        spans = functools.cache(lambda number: _spans(files[number]))
        found = np.array([spans(file)[place] for file, place in places], np.int64).reshape(-1, 2)
        return cls(
            files=tuple(files),
            number=np.array([file for file, _ in places], np.int32),
            start=found[:, 0],
            length=found[:, 1],
            labels=np.array(labels, np.int64),
        )


def _sizes(files):
    return np.array([pathlib.Path(file).stat().st_size for file in files], np.int64)


def _spans(file):
    """(first byte, length) of every record of a file; only the lengths are read."""
    size, place, spans = pathlib.Path(file).stat().st_size, 0, []
    with open(file, "rb") as stream:
        while place < size:
            stream.seek(place)
            (length,) = struct.unpack("<Q", stream.read(_LENGTH))
            spans.append((place + _BEFORE, length))
            place += _BEFORE + length + _BEHIND
    if place != size:
        raise ValueError(f"{file} ends within a record")
    return spans

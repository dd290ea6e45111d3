"""Batches that an evaluation has finished, kept on disk so that a killed one goes on after them."""

import hashlib
import os
import pathlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from robust_keras.directories import whole_files


class Unrecorded:
    """A journal that keeps nothing."""

    def now(self) -> float:
        """Seconds on a clock."""
        return time.monotonic()

    def remember(self, key: tuple, make: Callable[[], dict]) -> dict:
        """What `make()` returns."""
        return make()

    def remember_all(self, jobs: Sequence[tuple[tuple, Callable[[], dict]]]) -> Iterator[dict]:
        """What `remember` gives for each `(key, make)`, none of which depends on another."""
        for key, make in jobs:
            yield self.remember(key, make)

    def knows(self, key: tuple) -> bool:
        """Whether there are values for the key already."""
        return False


class Journal(Unrecorded):
    """One file a batch, named after all that the batch depends on.

    What an evaluation computes is fixed by its settings, so the one that goes on asks for the same
    batches in the same order and finds those that were finished.

    Args:
        directory: where the files are.
        begin: called before the first file is written; it makes the directory.

    Example:
        >>> journal = Journal(directory / "journal", (directory / "journal").mkdir)
        >>> found = engine.evaluate(classifier, images, labels, [FGSM()], threat_model,
        ...                         batch_size=250, seed=0, journal=journal)
    """

    def __init__(self, directory: str | os.PathLike, begin: Callable[[], Any]):
        self._directory = pathlib.Path(directory)
        self._begin = begin
        self._begun = False
        self._replayed = 0.0

    def now(self) -> float:
        """Seconds on a clock that ran on while batches were made which are now read again."""
        return time.monotonic() + self._replayed

    def remember(self, key: tuple, make: Callable[[], dict]) -> dict:
        """The values kept for the key; made, and kept, where there are none.

        Args:
            key: tuple of plain values, all that the values depend on.
            make: function without arguments that returns a dict from name to array, number or text,
                none of the names "seconds" and "name".

        Returns:
            A dict of the same names, from name to array once it was kept.

        Raises:
            InputError: the disk is full, or whatever else keeps a file from being written.
        """
        name, path = self._place(key)
        kept = _read(path, name)
        if kept is not None:
            self._replayed += float(kept.pop("seconds"))
            return kept
        start = time.monotonic()
        values = make()
        self._write(path, values | {"seconds": time.monotonic() - start, "name": name})
        return values

    def knows(self, key: tuple) -> bool:
        """Whether there are values for the key already."""
        name, path = self._place(key)
        return _read(path, name) is not None

    def _place(self, key):
        name = hashlib.blake2b(repr(key).encode(), digest_size=16).hexdigest()
        return name, self._directory / f"{name}.npz"

    def _write(self, path, values):
        if not self._begun:
            self._begin()
            self._begun = True
        with whole_files.writing(path) as temporary, open(temporary, "wb") as stream:
            np.savez(stream, **values)


def _read(path, name):
    """The arrays in a file, or None where there is no whole one of that name."""
    try:
        with np.load(path) as kept:
            values = dict(kept)
        return values if str(values.pop("name")) == name else None
    # A damaged archive raises nearly everything: of zipfile, zlib, struct, memory, encodings.
    except Exception:
        return None

"""Which of a study's processes is at which step."""

import contextlib
import os
import pathlib
from collections.abc import Iterable, Iterator

from robust_keras.directories import lock


class Turns:
    """Of several processes that run one study each does what no other is at.

    One that dies gives back what it was at.

    Args:
        directory: of the marks, one that all of them share; None for a process that is alone.
        leads: whether this one does everything where there are no locks.
    """

    def __init__(self, directory: str | os.PathLike | None = None, leads: bool = True):
        self._directory = None if directory is None else pathlib.Path(directory)
        self._leads = leads

    @contextlib.contextmanager
    def taken(self, names: Iterable[str]) -> Iterator[bool]:
        """Whether no other process is at one of these steps, nor will be while the block lasts."""
        with contextlib.ExitStack() as marks:
            yield all(self._take(name, marks) for name in names)

    def _take(self, name, marks):
        if self._directory is None:
            return True
        mark = os.open(self._directory / name, os.O_RDWR | os.O_CREAT, 0o600)
        marks.callback(os.close, mark)
        taken = lock.locked(mark)
        return self._leads if taken is None else taken

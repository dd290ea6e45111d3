"""Which of a study's processes is at which step."""

import contextlib
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator

from robust_keras.directories import lock
from robust_keras.programs import assistants

# Bytes that a process may hold after a step. TensorFlow gives nothing back of what it compiled
# (tensorflow/tensorflow#40171): an evaluation of kernel activations leaves 0.2 GiB and more.
ENOUGH = 3 * 2**30


class Turns:
    """Of several processes that run one study each does what no other is at.

    One that dies gives back what it was at.

    Args:
        directory: of the marks, one that all of them share; None for a process that is alone.
        leads: whether this one does everything where there are no locks.
        relief: starts a process that goes on in place of this one, and returns whether that still
            runs when asked later; None where nothing is started.
        enough: bytes that this process may hold and go on.
    """

    def __init__(
        self,
        directory: str | os.PathLike | None = None,
        leads: bool = True,
        relief: Callable[[], Callable[[], bool]] | None = None,
        enough: int = ENOUGH,
    ):
        self._directory = None if directory is None else pathlib.Path(directory)
        self._leads = leads
        self._relief = relief
        self._enough = enough
        self._goes_on: Callable[[], bool] | None = None

    @property
    def leads(self) -> bool:
        """Whether this process stays to the end."""
        return self._leads

    def holds_enough(self) -> bool:
        """Whether this process holds so much memory that another should go on in its place."""
        return self._directory is not None and assistants.memory_held() > self._enough

    def relieved(self) -> bool:
        """Whether another process goes on in place of this one, which has started it if need be.

        One that failed is not replaced: this process then goes on itself, and tells what is wrong.
        """
        if self._goes_on is None:
            if self._relief is None or lock.fcntl is None or not self.holds_enough():
                return False
            self._goes_on = self._relief()
        return self._goes_on()

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

"""The processes that share the models of one evaluation, and which of them works on which."""

import contextlib
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from robust_keras.directories import lock

# Whether processes can tell each other what they are at: not on Windows.
POSSIBLE = lock.fcntl is not None
_BETWEEN_LOOKS_S = 0.1
_DONE = b"done"


class Alone:
    """One process, which does everything in order.

    Attributes:
        processes: how many there are.
        leads: whether this is the one that tells what is found.
    """

    processes = 1
    leads = True

    def agreed(self, decide: Callable[[], Any]) -> Any:
        """What `decide()` returns, decided once for all processes."""
        return decide()

    def turns(
        self, stage: str, count: int, waiting: Callable[[int], Any] = lambda number: None
    ) -> Iterator[int]:
        """The numbers below `count`, each when this process may work on it, and once.

        Args:
            stage: what is done with them. All do one stage after the other.
            count: of models.
            waiting: called again and again with a number that another process works on.
        """
        yield from range(count)

    def left(self, stage: str, count: int) -> Iterator[int]:
        """The numbers below `count` that no other process works on or has done."""
        yield from range(count)


class Company(Alone):
    """One of several processes that do the same, each what no other has begun.

    What another has done is done again from its journal, which takes no time. A process that dies
    gives back what it was at.

    Args:
        directory: of the marks, one that all of them share and that is empty at first.
        processes: how many there are.
        leads: whether this one tells what is found. The others go from the last model to the first.
        exchange: called with what `agreed` came to where this one leads, and with None where it
            does not; returns what was agreed on.
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        processes: int,
        leads: bool,
        exchange: Callable[[Any], Any],
    ):
        self._directory = pathlib.Path(directory)
        self.processes = processes
        self.leads = leads
        self._exchange = exchange

    def agreed(self, decide: Callable[[], Any]) -> Any:
        """What the one that leads has decided."""
        return self._exchange(decide() if self.leads else None)

    def turns(
        self, stage: str, count: int, waiting: Callable[[int], Any] = lambda number: None
    ) -> Iterator[int]:
        """Those that no other process works on, and then, once they are done, all others."""
        busy = []
        for number in range(count) if self.leads else reversed(range(count)):
            with self._mark(stage, number) as mark:
                if not self._taken(mark):
                    busy.append(number)
                    continue
                yield number
                os.pwrite(mark, _DONE, 0)
        for number in busy:
            with self._mark(stage, number) as mark:
                while not self._taken(mark):
                    waiting(number)
                    time.sleep(_BETWEEN_LOOKS_S)
                yield number

    def left(self, stage: str, count: int) -> Iterator[int]:
        """Those that no other process works on or has done, from the last on."""
        for number in reversed(range(count)):
            with self._mark(stage, number) as mark:
                if self._taken(mark) and os.pread(mark, len(_DONE), 0) != _DONE:
                    yield number
                    os.pwrite(mark, _DONE, 0)

    @contextlib.contextmanager
    def _mark(self, stage, number):
        """The open file of one turn, which is given back when it is closed."""
        mark = os.open(self._directory / f"{stage}-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield mark
        finally:
            os.close(mark)

    def _taken(self, mark):
        """Whether the turn is this process' now; where there are no locks, all are the leader's."""
        taken = lock.locked(mark)
        return self.leads if taken is None else taken

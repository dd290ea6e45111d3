"""Batches that several processes make together, each its share, so that all know all of them."""

import functools
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.errors import InputError

_MARK_BYTES = 16


class SharedJournal(Unrecorded):
    """A journal of several processes that run the same evaluation, one call after the other.

    Of what can be made at once each process makes a part, as it would be made by one alone, and
    all get all of it. What stands by itself is made by the first process. So all go on with the
    same numbers, and where one has come to others they are told apart at once.

    Args:
        journal: `Journal` of the first process, which alone keeps what was made; of the others,
            `Unrecorded`.
        exchange: function from the bytes that this process has to say to a list of what each one
            has, in their order; it waits for all.
        place: of this process, from 0 on.
    """

    def __init__(
        self,
        journal: Journal | Unrecorded,
        exchange: Callable[[bytes], list[bytes]],
        place: int,
    ):
        self._journal = journal
        self._exchange = exchange
        self._place = place
        self._processes = len(exchange(b""))

    def now(self) -> float:
        """Seconds on the journal's clock."""
        return self._journal.now()

    def remember(self, key: tuple, make: Callable[[], dict]) -> dict:
        """The values kept for the key; made by the first process where there are none.

        Raises:
            InputError: another process asks for something else.
        """
        return next(self.remember_all([(key, make)]))

    def remember_all(self, jobs: Sequence[tuple[tuple, Callable[[], dict]]]) -> Iterator[dict]:
        """The values of each `(key, make)` in turn, as many at a time as there are processes.

        Raises:
            InputError: another process asks for something else.
        """
        for first in range(0, len(jobs), self._processes):
            yield from self._together(jobs[first : first + self._processes])

    def _together(self, jobs):
        """The values of as many jobs as there are processes, or fewer."""
        keys = [key for key, _ in jobs]
        known = [number for number, key in enumerate(keys) if self._journal.knows(key)]
        # What the others know is nothing.
        known = json.loads(self._said("known", keys, json.dumps(known).encode())[0])
        missing = [number for number in range(len(jobs)) if number not in known]
        mine = missing[self._place :: self._processes] + (known if self._place == 0 else [])
        made = {number: self._journal.remember(*jobs[number]) for number in mine}
        found: dict[int, dict] = {}
        for content in self._said("made", keys, _packed(made)):
            found |= _unpacked(content)
        for number in sorted(set(missing) - set(mine)) if self._place == 0 else ():
            self._journal.remember(keys[number], functools.partial(found.get, number))
        return [found.get(number, {}) for number in range(len(jobs))]

    def _said(self, what, keys, content):
        """What each process has to say, once it is clear that all speak of the same."""
        mark = hashlib.blake2b(repr((what, keys)).encode(), digest_size=_MARK_BYTES).digest()
        said = self._exchange(mark + content)
        others = [
            place
            for place, each in enumerate(said, 1)
            if each[:_MARK_BYTES] != said[0][:_MARK_BYTES]
        ]
        if others:
            raise InputError.expected(
                "--distribute=multi_worker",
                "the same numbers in all processes (the same program, libraries, models and data, "
                "and one kind of processor)",
                f"others in process {others[0]} of {len(said)} than in the first",
            )
        return [each[_MARK_BYTES:] for each in said]


def _packed(made):
    stream, arrays = io.BytesIO(), {}
    for number, values in made.items():
        arrays |= {f"{number} {name}": value for name, value in values.items()}
    np.savez(stream, **arrays)
    return stream.getvalue()


def _unpacked(content):
    found: dict[int, dict] = {}
    with np.load(io.BytesIO(content)) as arrays:
        for title, value in arrays.items():
            number, _, name = title.partition(" ")
            found.setdefault(int(number), {})[name] = value
    return found

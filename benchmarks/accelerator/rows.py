"""Rows of a table that are run one after the other, none of which stops the others."""

import collections.abc
import dataclasses
import sys
import time

WORKS, FAILED, NO_TIME, NOT_HERE = "works", "FAILED", "no time left", "not here"
_LONGEST_REASON = 160


@dataclasses.dataclass(frozen=True)
class Row:
    """Something to try.

    Args:
        group: what it belongs to.
        name: what is tried.
        run: returns name -> figure: a number, quartiles (low, median, high), or words. Raises where
            it does not work.
    """

    group: str
    name: str
    run: collections.abc.Callable[[], dict]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a row.

    Args:
        group: the row's.
        name: the row's.
        state: `WORKS`, `FAILED`, `NO_TIME` or `NOT_HERE`.
        figures: what the row returned.
        reason: why it did not work, one line.
        seconds: what it took, compilation included.
    """

    group: str
    name: str
    state: str
    figures: dict = dataclasses.field(default_factory=dict)
    reason: str = ""
    seconds: float = 0.0

    def in_words(self):
        """The figures as `name value`, separated by commas, or the reason."""
        figures = (f"{name} {_in_words(value)}" for name, value in self.figures.items())
        return ", ".join(figures) or self.reason


class Unfit(Exception):
    """A result that is not what it must be."""


class NotHere(Exception):
    """This machine lacks what the row compares with."""


def must(holds, message):
    """Raises `Unfit` unless `holds`."""
    if not holds:
        raise Unfit(message)


def outcome(row, deadline):
    """The `Outcome` of a row, which is not begun after the deadline, of `time.monotonic`."""
    start = time.monotonic()
    if start >= deadline:
        return Outcome(row.group, row.name, NO_TIME)
    figures, reason = {}, ""
    try:
        figures, state = row.run(), WORKS
    except NotHere as error:
        state, reason = NOT_HERE, str(error)
    # Whatever an accelerator's libraries raise is this row's result, not the end of the table.
    except Exception as error:  # noqa: BLE001
        state, reason = FAILED, f"{type(error).__name__}: {_line(str(error))}"
    reason = reason[:_LONGEST_REASON]
    found = Outcome(row.group, row.name, state, figures, reason, time.monotonic() - start)
    print(
        f"{row.group}: {row.name}: {state} {found.in_words()}, {found.seconds:.1f} s",
        file=sys.stderr,
        flush=True,
    )
    return found


def _line(message):
    """The line of a message that says what is wrong."""
    lines = message.strip().splitlines() or [""]
    return lines[-1 if lines[0] == "in user code:" else 0].strip()


def _in_words(value):
    if isinstance(value, list | tuple):
        low, median, high = map(_in_words, value)
        return f"{median} ({low} to {high})"
    return f"{value:.3g}" if isinstance(value, float) else str(value)

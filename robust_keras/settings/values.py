"""What a flag may hold: each kind turns text into a value and checks a value, in one wording.

`parse(text)` is for the command line, `check(value)` for values that come from Python or JSON. Both
raise ValueError("expected ...; received ..."). Numbers are in a file of their own.
"""

import dataclasses
import os
from typing import Any

from robust_keras.settings.kind import Kind, joined, refuse
from robust_keras.settings.numbers import (
    LARGEST_EPSILON,
    PIXEL_CHANGE,
    SMALLEST_EPSILON,
    Epsilons,
    Number,
    Pair,
    Whole,
    pixels,
)
from robust_keras.suggestion import did_you_mean

__all__ = [
    "LARGEST_EPSILON",
    "PIXEL_CHANGE",
    "SMALLEST_EPSILON",
    "Choice",
    "Choices",
    "Epsilons",
    "Number",
    "Pair",
    "Path",
    "Paths",
    "Text",
    "Texts",
    "Truth",
    "Whole",
    "pixels",
]

# The longest path that Linux takes.
_LONGEST_TEXT = 4095


def check_readable(text: str) -> None:
    """Raises ValueError unless a text can be written down: no control characters, no half bytes."""
    if not text.isprintable() and any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in text):
        refuse("text in UTF-8 without control characters", text)
    if len(text) > _LONGEST_TEXT:
        refuse(f"a text of at most {_LONGEST_TEXT} characters", text)


@dataclasses.dataclass(frozen=True)
class Text(Kind):
    """Any text that is not empty."""

    optional: bool = False

    def _check(self, value):
        if not isinstance(value, str) or not value.strip():
            refuse("some text", value)
        check_readable(value)


class Path(Text):
    """A path on this machine: an address would be taken for the name of a directory."""

    def _check(self, value):
        super()._check(value)
        _check_local(value)


def _check_local(path):
    if "://" in path:
        refuse("a path on this machine (download first what is elsewhere, mount a bucket)", path)


@dataclasses.dataclass(frozen=True)
class Choice(Kind):
    """One of a few names; with `others`, any other as well."""

    names: tuple[str, ...]
    others: bool = False

    def _check(self, value):
        other = self.others and isinstance(value, str) and value.isidentifier()
        if value not in self.names and not other:
            refuse("one of " + ", ".join(self.names), value, did_you_mean(value, self.names))


@dataclasses.dataclass(frozen=True)
class Truth(Kind):
    """True or false, in the spellings that absl knows."""

    def _read(self, text):
        spelling = text.lower()
        if spelling in ("true", "t", "1", "yes", "y"):
            return True
        if spelling in ("false", "f", "0", "no", "n"):
            return False
        return refuse("true or false", text)

    def _check(self, value):
        if not isinstance(value, bool):
            refuse("true or false", value)


def _split(text):
    return tuple(part.strip() for part in text.split(","))


@dataclasses.dataclass(frozen=True)
class Texts(Kind):
    """Texts separated by commas, none empty and none twice; with `optional`, no text as well."""

    expected: str
    optional: bool = False

    def _read(self, text):
        return _split(text)

    def check(self, value: Any) -> None:
        """Raises ValueError unless there is at least one text, all different."""
        if self.optional and value == ():
            return
        texts = isinstance(value, tuple) and all(isinstance(v, str) and v for v in value)
        if not texts or not value:
            refuse(self.expected, joined(value))
        for text in value:
            check_readable(text)
        if len(set(value)) < len(value):
            refuse(f"{self.expected}, each once", joined(value))


class Paths(Texts):
    """Paths separated by commas; one that holds commas itself, up to seven, is one if it exists."""

    def _read(self, text):
        parts, paths = text.split(","), []
        while parts:
            ends = [1, *range(min(len(parts), 8), 1, -1)]
            tried = {end: ",".join(parts[:end]).strip() for end in ends}
            end = next((end for end, path in tried.items() if os.path.exists(path)), 1)
            paths.append(tried[end])
            del parts[:end]
        return tuple(paths)

    def check(self, value: Any) -> None:
        """Raises ValueError unless there is at least one path on this machine, all different."""
        super().check(value)
        for path in value:
            _check_local(path)


@dataclasses.dataclass(frozen=True)
class Choices(Kind):
    """Names separated by commas, each one of a few and none twice; with `others`, of any more.

    Where one of the names is `none`, it stands alone.
    """

    names: tuple[str, ...]
    others: bool = False

    @property
    def _expected(self):
        return "one or more of " + ", ".join(self.names) + ", each once"

    def _read(self, text):
        return _split(text)

    def _check(self, value):
        texts = isinstance(value, tuple) and all(isinstance(name, str) for name in value)
        if not texts or not value or len(set(value)) < len(value):
            refuse(self._expected, joined(value))
        if "none" in value and len(value) > 1:
            refuse("none alone", joined(value))
        wrong = [name for name in value if name not in self.names]
        if wrong and not (self.others and all(name.isidentifier() for name in wrong)):
            meant = "".join(did_you_mean(name, self.names) for name in wrong[:1])
            refuse(self._expected, joined(value), meant)

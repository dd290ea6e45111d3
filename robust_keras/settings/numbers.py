"""Flags that hold numbers. Every one has limits: nothing is too large to be refused in one line."""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

from robust_keras.settings.kind import Kind, joined, refuse

# Digits of ASCII only: float() and int() take far more, such as 1_000 and Arabic-Indic digits.
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_REAL = re.compile(r"[+-]?([0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})([eE][+-]?[0-9]{1,4})?")
# A change of a pixel below this is lost in the float32 of the images.
SMALLEST_EPSILON = 1e-6
# In l2 the largest distance between images of 512 x 512 x 3.
LARGEST_EPSILON = 887.0
_MOST_EPSILONS = 1000


def read_real(text: str) -> float:
    """A float from `0.1` or from a fraction such as `8/255`; ValueError for anything else."""
    numerator, slash, denominator = text.partition("/")
    value = _read_decimal(numerator)
    if slash:
        divisor = _read_decimal(denominator)
        if divisor == 0:
            raise ValueError(f"{text} divides by zero")
        value /= divisor
    # -0 would be written into reports and file names.
    return value + 0.0


def _read_decimal(text):
    if not _REAL.fullmatch(text.strip()):
        raise ValueError(f"{text} is no number")
    return float(text)


def is_real(value: Any) -> bool:
    """Whether a value is a finite int or float, and no bool."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) < math.inf and abs(value) <= 1.7e308


def _chosen(kind, number):
    """The number; None for a 0 that stood for "not chosen" before a setting could be left unset."""
    return None if kind.optional and number == 0 else number


@dataclasses.dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `minimum` to `maximum`; or `word` instead, where there is one."""

    minimum: int
    maximum: int
    optional: bool = False
    word: str | None = None

    @property
    def _expected(self):
        number = f"a whole number from {self.minimum} to {self.maximum}"
        return f"{number} or {self.word}" if self.word else number

    def _read(self, text):
        if text == self.word:
            return text
        if not _WHOLE.fullmatch(text.strip()):
            refuse(self._expected, text)
        return _chosen(self, int(text))

    def _check(self, value):
        if self.word and value == self.word:
            return
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not self.minimum <= value <= self.maximum:
            refuse(self._expected, value)


@dataclasses.dataclass(frozen=True)
class Pair(Kind):
    """Two whole numbers from 1 to 1024 with a sign between them, such as 2x2 or 2:4."""

    sign: str
    optional: bool = False

    @property
    def _expected(self):
        return f"two whole numbers from 1 to 1024, such as 2{self.sign}4"

    def _read(self, text):
        parts = text.split(self.sign)
        if len(parts) != 2 or not all(_WHOLE.fullmatch(part.strip()) for part in parts):
            refuse(self._expected, text)
        return tuple(int(part) for part in parts)

    def _check(self, value):
        fits = isinstance(value, tuple) and len(value) == 2
        if not fits or any(type(number) is not int or not 1 <= number <= 1024 for number in value):
            shown = self.sign.join(map(str, value)) if fits else joined(value)
            refuse(self._expected, shown)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Number(Kind):
    """A finite number.

    `minimum` and `maximum` are allowed values, `below` is not. With `zero`, 0 is allowed beside
    them; and `word` instead of a number, where there is one. `advice` turns a number that is too
    large into what to do about it. Fractions such as 8/255 are read.
    """

    minimum: float
    maximum: float | None = None
    below: float | None = None
    zero: bool = False
    optional: bool = False
    word: str | None = None
    advice: Callable[[float], str] | None = None

    @property
    def _expected(self):
        number = f"a number from {self.minimum:g} to {self.maximum or 0:g}"
        if self.below is not None:
            number = f"a number of at least {self.minimum:g} and below {self.below:g}"
        number = f"0, or {number}" if self.zero else number
        return f"{number} or {self.word}" if self.word else number

    def _read(self, text):
        if text == self.word:
            return text
        try:
            return _chosen(self, read_real(text))
        except ValueError:
            return refuse(self._expected, text)

    def _check(self, value):
        if self.word is not None and value == self.word:
            return
        if not is_real(value):
            refuse(self._expected, value)
        if self.zero and value == 0:
            return
        too_high = value >= self.below if self.below is not None else value > self.maximum
        if value < self.minimum or too_high:
            refuse(self._expected, value, self.advice(value) if too_high and self.advice else "")


@dataclasses.dataclass(frozen=True)
class Epsilons(Kind):
    """Different numbers, kept in rising order; which are allowed depends on the norm, too."""

    _expected = (
        f"different numbers in [0, 1] (l2: in [0, {LARGEST_EPSILON:g}]) such as 0.1,8/255, none "
        f"between 0 and {SMALLEST_EPSILON:g}, at most {_MOST_EPSILONS}"
    )

    def parse(self, text: str) -> tuple[float, ...]:
        """The numbers, sorted, as a tuple."""
        try:
            values = tuple(sorted(read_real(part) for part in text.split(",")))
            self.check(values)
        except ValueError:
            refuse(self._expected, text)
        return values

    def _check(self, value):
        in_range = (
            isinstance(value, tuple)
            and 0 < len(value) <= _MOST_EPSILONS
            and all(is_real(v) for v in value)
            and all(v == 0 or SMALLEST_EPSILON <= v <= LARGEST_EPSILON for v in value)
        )
        if not in_range or any(a >= b for a, b in zip(value, value[1:], strict=False)):
            refuse(self._expected, joined(value))


def pixels(epsilon: float) -> str:
    """What to do about an epsilon above 1 where pixels go from 0 to 1.

    Args:
        epsilon: what was given, perhaps in steps of 0..255.
    """
    steps = f"{epsilon:g}/255" if epsilon <= 255 else "a fraction such as 8/255"
    return f" (images are in [0, 1]: did you mean {steps}?)"


# How far a pixel of an image in [0, 1] may change; 0 where nothing changes it.
PIXEL_CHANGE = Number(minimum=SMALLEST_EPSILON, maximum=1.0, zero=True, advice=pixels)

"""What a flag may hold: each kind turns text into a value and checks a value, in one wording.

`parse(text)` is for the command line, `check(value)` for values that come from Python or JSON. Both
raise ValueError("expected ...; received ...").
"""

import dataclasses
import math


def _refuse(expected, received):
    # Quotes only where nothing could be seen without them.
    shown = str(received) if str(received).strip() else repr(received)
    raise ValueError(f"expected {expected}; received {shown}")


def _number(text: str) -> float:
    """A float from `0.1` or from a fraction such as `8/255`."""
    numerator, slash, denominator = text.partition("/")
    if not slash:
        return float(text)
    divisor = float(denominator)
    if divisor == 0:
        raise ValueError(f"{text} divides by zero")
    return float(numerator) / divisor


def _is_real(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclasses.dataclass(frozen=True)
class Text:
    """Any text that is not empty; with `optional`, None as well."""

    optional: bool = False

    def parse(self, text):
        """The text itself."""
        self.check(text)
        return text

    def check(self, value):
        """Raises ValueError unless the value is text with something in it."""
        if value is None and self.optional:
            return
        if not isinstance(value, str) or not value.strip():
            _refuse("some text", value)


@dataclasses.dataclass(frozen=True)
class Choice:
    """One of a few names."""

    names: tuple[str, ...]

    def parse(self, text):
        """The name, if it is one of the names."""
        self.check(text)
        return text

    def check(self, value):
        """Raises ValueError listing the names."""
        if value not in self.names:
            _refuse("one of " + ", ".join(self.names), value)


@dataclasses.dataclass(frozen=True)
class Truth:
    """True or false."""

    def parse(self, text):
        """True or False from the spellings that absl knows."""
        spelling = text.lower()
        if spelling in ("true", "t", "1", "yes", "y"):
            return True
        if spelling in ("false", "f", "0", "no", "n"):
            return False
        return _refuse("true or false", text)

    def check(self, value):
        """Raises ValueError unless the value is a bool."""
        if not isinstance(value, bool):
            _refuse("true or false", value)


@dataclasses.dataclass(frozen=True)
class Whole:
    """A whole number from `minimum` to `maximum`."""

    minimum: int
    maximum: int | None = None

    @property
    def _expected(self):
        if self.maximum is None:
            return f"a whole number of at least {self.minimum}"
        return f"a whole number from {self.minimum} to {self.maximum}"

    def parse(self, text):
        """The number in the text."""
        try:
            value = int(text)
        except ValueError:
            _refuse(self._expected, text)
        self.check(value)
        return value

    def check(self, value):
        """Raises ValueError unless the value is such a number."""
        if not isinstance(value, int) or isinstance(value, bool) or value < self.minimum:
            _refuse(self._expected, value)
        if self.maximum is not None and value > self.maximum:
            _refuse(self._expected, value)


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two whole numbers of at least 1 with a sign between them, such as 2x2 or 2:4."""

    sign: str
    optional: bool = False

    @property
    def _expected(self):
        return f"two whole numbers of at least 1, such as 2{self.sign}4"

    def parse(self, text):
        """The two numbers as a tuple."""
        try:
            value = tuple(int(part) for part in text.split(self.sign))
            self.check(value)
        except ValueError:
            _refuse(self._expected, text)
        return value

    def check(self, value):
        """Raises ValueError unless the value is two such numbers, or None where it may be."""
        if value is None and self.optional:
            return
        fits = isinstance(value, tuple) and len(value) == 2
        if not fits or any(type(number) is not int or number < 1 for number in value):
            _refuse(self._expected, _joined(value))


@dataclasses.dataclass(frozen=True)
class Number:
    """A finite number; `minimum` and `maximum` are allowed values, `above` and `below` are not.

    Instead of a number it may be `word`, where there is one.
    """

    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    below: float | None = None
    word: str | None = None

    @property
    def _expected(self):
        limits = [
            f"{words} {limit:g}"
            for words, limit in (
                ("of at least", self.minimum),
                ("above", self.above),
                ("of at most", self.maximum),
                ("below", self.below),
            )
            if limit is not None
        ]
        number = "a number " + " and ".join(limits) if limits else "a number"
        return f"{number} or {self.word}" if self.word else number

    def parse(self, text):
        """The number in the text; fractions such as 8/255 work."""
        if text == self.word:
            return text
        try:
            value = _number(text)
        except ValueError:
            _refuse(self._expected, text)
        self.check(value)
        return value

    def check(self, value):
        """Raises ValueError unless the value is finite and within the limits, or the word."""
        if self.word is not None and value == self.word:
            return
        if not _is_real(value) or not math.isfinite(value):
            _refuse(self._expected, value)
        too_low = (self.minimum is not None and value < self.minimum) or (
            self.above is not None and value <= self.above
        )
        too_high = (self.maximum is not None and value > self.maximum) or (
            self.below is not None and value >= self.below
        )
        if too_low or too_high:
            _refuse(self._expected, value)


@dataclasses.dataclass(frozen=True)
class Texts:
    """Texts separated by commas, none empty and none twice; with `optional`, no text as well."""

    expected: str
    optional: bool = False

    def parse(self, text):
        """The texts as a tuple."""
        values = tuple(part.strip() for part in text.split(","))
        self.check(values)
        return values

    def check(self, value):
        """Raises ValueError unless there is at least one text, all different."""
        if self.optional and value == ():
            return
        if (
            not isinstance(value, tuple)
            or not value
            or not all(isinstance(v, str) and v for v in value)
        ):
            _refuse(self.expected, _joined(value))
        if len(set(value)) < len(value):
            _refuse(f"{self.expected}, each once", _joined(value))


@dataclasses.dataclass(frozen=True)
class Choices:
    """Names separated by commas, each one of a few and none twice."""

    names: tuple[str, ...]

    @property
    def _expected(self):
        return "one or more of " + ", ".join(self.names) + ", each once"

    def parse(self, text):
        """The names as a tuple."""
        values = tuple(part.strip() for part in text.split(","))
        self.check(values)
        return values

    def check(self, value):
        """Raises ValueError listing the names."""
        if not isinstance(value, tuple) or not value or len(set(value)) < len(value):
            _refuse(self._expected, _joined(value))
        if any(name not in self.names for name in value):
            _refuse(self._expected, _joined(value))


@dataclasses.dataclass(frozen=True)
class Epsilons:
    """Different numbers in [0, 1], kept in rising order."""

    _expected = "different numbers in [0, 1] such as 0.1,8/255"

    def parse(self, text):
        """The numbers, sorted, as a tuple."""
        try:
            values = tuple(sorted(_number(part) for part in text.split(",")))
        except ValueError:
            _refuse(self._expected, text)
        try:
            self.check(values)
        except ValueError:
            _refuse(self._expected, text)
        return values

    def check(self, value):
        """Raises ValueError unless the numbers rise strictly from at least 0 to at most 1."""
        in_range = (
            isinstance(value, tuple)
            and bool(value)
            and all(_is_real(v) and math.isfinite(v) and 0 <= v <= 1 for v in value)
        )
        if not in_range or any(a >= b for a, b in zip(value, value[1:], strict=False)):
            _refuse(self._expected, _joined(value))


def _joined(value):
    """A tuple as the user would type it."""
    return ",".join(str(v) for v in value) if isinstance(value, tuple) else value

"""What a field of a finding may hold: its check, its words, and its JSON Schema."""

import collections.abc
import math
import numbers
from typing import Any

import numpy as np

from robust_keras.arguments import refuse

# Two accuracies of the same images may differ by rounding, float32 means included.
TOLERANCE = 1e-6


class Kind:
    """One kind of value.

    Args:
        words: the kind as the page on the format writes it.
        schema: the same as a JSON Schema.
        finding: class of the finding that is part of it, or None.
    """

    def __init__(self, words: str, schema: dict, finding: Any = None):
        self.words = words
        self.schema = schema
        self.finding = finding

    def checked(self, name: str, value: Any) -> Any:
        """The value as it is kept.

        Args:
            name: of the field, for the error.
            value: anything.

        Raises:
            ValueError: it is not of this kind.
        """
        raise NotImplementedError

    def read(self, name: str, value: Any) -> Any:
        """The same of a value that JSON gave."""
        return self.checked(name, value)


class Text(Kind):
    """A string, by default one that is not empty."""

    def __init__(self, empty: bool = False):
        super().__init__("string", {"type": "string"} | ({} if empty else {"minLength": 1}))
        self._empty = empty

    def checked(self, name: str, value: Any) -> Any:
        if not isinstance(value, str) or not (value or self._empty):
            rule = "a string" if self._empty else "a string that is not empty"
            refuse(name, rule, value)
        return value


class OneOf(Kind):
    """One of a few strings."""

    def __init__(self, *choices: str):
        *most, last = (f"`{choice}`" for choice in choices)
        super().__init__(f"{', '.join(most)} or {last}", {"enum": list(choices)})
        self._choices = choices

    def checked(self, name: str, value: Any) -> Any:
        if value not in self._choices:
            refuse(name, f"one of {list(self._choices)}", value)
        return value


class Boolean(Kind):
    """True or false."""

    def __init__(self):
        super().__init__("boolean", {"type": "boolean"})

    def checked(self, name: str, value: Any) -> Any:
        if not isinstance(value, (bool, np.bool_)):
            refuse(name, "true or false", value)
        return bool(value)


class Integer(Kind):
    """A whole number of at least `low`."""

    def __init__(self, low: int = 0):
        super().__init__(f"integer >= {low}", {"type": "integer", "minimum": low})
        self._low = low

    def checked(self, name: str, value: Any) -> Any:
        whole = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
        if not whole or value < self._low:
            refuse(name, f"a whole number of at least {self._low}", value)
        return int(value)


class Number(Kind):
    """A finite number in [low, high]."""

    def __init__(self, low: float = 0.0, high: float = math.inf, words: str = ""):
        limits = {"minimum": low, "maximum": high}
        limits = {name: limit for name, limit in limits.items() if math.isfinite(limit)}
        super().__init__(words or " ".join(["number", *_limits(low, high)]), {"type": "number"})
        self.schema |= limits
        self._low, self._high = low, high

    def checked(self, name: str, value: Any) -> Any:
        real = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
        if not real or not math.isfinite(value) or not self._low <= value <= self._high:
            refuse(name, f"a finite number in [{self._low:g}, {self._high:g}]", value)
        return float(value)


class Confidence(Number):
    """A fraction that may pass 1 by a rounding error, as a float32 softmax does."""

    def __init__(self):
        super().__init__(high=1.0 + TOLERANCE, words="fraction")
        self.schema["maximum"] = 1.0

    def checked(self, name: str, value: Any) -> Any:
        return min(super().checked(name, value), 1.0)


class ListOf(Kind):
    """Any number of values of one kind, kept as a tuple.

    Args:
        kind: of each.
        length: how many, exactly; None for any number.
        least: how many at least.
    """

    def __init__(self, kind: Kind, length: int | None = None, least: int = 0):
        many = f"{length} " if length else ""
        words = f"list, at least {least}" if least else f"list of {many}{_plural(kind.words)}"
        least, most = length or least, {"maxItems": length} if length else {}
        schema = {"type": "array", "items": kind.schema, "minItems": least} | most
        super().__init__(words, schema, kind.finding)
        self._kind, self._length, self._least = kind, length, least

    def checked(self, name: str, value: Any) -> Any:
        if isinstance(value, str) or not isinstance(value, collections.abc.Iterable):
            refuse(name, "a sequence", value)
        return self._fitting(name, tuple(self._kind.checked(name, item) for item in value))

    def read(self, name: str, value: Any) -> Any:
        if not isinstance(value, list):
            refuse(name, "a list", value)
        return self._fitting(name, tuple(self._kind.read(name, item) for item in value))

    def _fitting(self, name, values):
        exact = self._length is None or len(values) == self._length
        if not exact or len(values) < self._least:
            count = f"at least {self._least}" if self._length is None else self._length
            raise ValueError(f"`{name}` must hold {count}. Received: {name}={values}")
        return values


class Mapping(Kind):
    """A dictionary of plain values: settings, or the numbers behind a check."""

    def __init__(self):
        super().__init__("object", {"type": "object"})

    def checked(self, name: str, value: Any) -> Any:
        if not isinstance(value, collections.abc.Mapping):
            refuse(name, "a mapping", value)
        return plain(value)


class OrNone(Kind):
    """A value of a kind, or None."""

    def __init__(self, kind: Kind):
        schema = {"anyOf": [kind.schema, {"type": "null"}]}
        super().__init__(f"{kind.words} or null", schema, kind.finding)
        self._kind = kind

    def checked(self, name: str, value: Any) -> Any:
        return None if value is None else self._kind.checked(name, value)

    def read(self, name: str, value: Any) -> Any:
        return None if value is None else self._kind.read(name, value)


def plain(value: Any) -> Any:
    """Turns a value into what strict JSON can hold, so that a report survives being written.

    Numpy scalars and arrays become numbers and lists, tuples become lists, keys become strings. A
    float that is not finite becomes the string "nan", "inf" or "-inf", since JSON has no such
    number. Anything else becomes its `str`.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, collections.abc.Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [plain(item) for item in items]
    return str(value)


def _limits(low, high):
    if math.isfinite(low):
        yield f">= {low:g}"
    if math.isfinite(high):
        yield f"<= {high:g}"


def _plural(words):
    """The kind's noun in the plural, before its limits: `integers >= 1`."""
    if words.startswith("list of 2 "):
        return words.replace("list of 2 ", "pairs of ", 1)
    if words.startswith("list"):
        return words.replace("list", "lists", 1)
    noun, space, rest = words.partition(" ")
    if rest.startswith("or null"):
        return f"{noun}s or nulls"
    return f"{noun}s{space}{rest}"


TEXT, COUNT, POSITIVE_COUNT, BOOLEAN = Text(), Integer(), Integer(1), Boolean()
FRACTION, CONFIDENCE = Number(high=1.0, words="fraction"), Confidence()
INTERVAL = ListOf(FRACTION, length=2)

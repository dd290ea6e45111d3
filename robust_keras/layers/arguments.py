"""Checks of constructor arguments, with one form of error text for all layers."""

import math
import numbers
from collections.abc import Iterable
from typing import Any

# Beyond these, logits divided by T in float32 are all zero or not finite.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1e-6, 1e6
TEMPERATURES = f"a number from {LOWEST_TEMPERATURE:g} to {HIGHEST_TEMPERATURE:g}"


def refuse(name: str, expected: str, received: object) -> None:
    """Raises the `ValueError` that says what was expected and what was received."""
    raise ValueError(f"`{name}` must be {expected}. Received: {name}={received!r}")


def positive(name: str, value: Any) -> float:
    """Returns `value` as a float; refuses anything but a finite number above zero."""
    return bounded(name, value, "a finite number > 0")


def bounded(name: str, value: Any, expected: str, *, most: float = math.inf) -> float:
    """Returns `value` as a float; refuses anything outside (0, `most`] and what is no number.

    Args:
        name: the argument's name.
        value: what the caller gave.
        expected: the allowed values in words, for the error.
        most: the largest allowed value.

    Raises:
        ValueError: if `value` is not a finite number in (0, `most`].
    """
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        refuse(name, expected, value)
    if not math.isfinite(value) or not 0 < value <= most:
        refuse(name, expected, value)
    return float(value)


def checked_temperature(name: str, value: Any) -> float:
    """Returns `value` as a float; refuses what float32 cannot divide logits by."""
    number = bounded(name, value, TEMPERATURES, most=HIGHEST_TEMPERATURE)
    if number < LOWEST_TEMPERATURE:
        refuse(name, TEMPERATURES, value)
    return number


def whole(name: str, value: Any, *, least: int) -> int:
    """Returns `value` as an int; refuses anything but a whole number of at least `least`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        refuse(name, f"a whole number >= {least}", value)
    return int(value)


def flag(name: str, value: Any) -> bool:
    """Returns `value`; refuses anything but True or False."""
    if not isinstance(value, bool):
        refuse(name, "True or False", value)
    return value


def choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Returns `value`; refuses anything that is not one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        refuse(name, "one of " + ", ".join(repr(name) for name in choices), value)
    return value

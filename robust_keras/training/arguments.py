"""Checks of numbers that a caller gives, with one form of error text."""

import math
import numbers
from typing import Any

from robust_keras.layers.arguments import checked_temperature

MOST_STEPS = 10**4  # of crafting
MOST_TRAINED_STEPS = 2**53  # whole numbers up to here are exact floats, too
LARGEST_SEED = 2**63 - 1


def real(
    name: str,
    value: Any,
    expected: str,
    *,
    above: float | None = -math.inf,
    least: float | None = -math.inf,
    below: float | None = math.inf,
    most: float | None = math.inf,
) -> float:
    """Returns `value` as a float; refuses NaN, infinity, what is no number or out of range.

    Args:
        name: the argument's name.
        value: what the caller gave.
        expected: the allowed values in words, such as "in (0, 1]".
        above: limit that it must exceed.
        least: the smallest allowed value.
        below: limit that it must stay under.
        most: the largest allowed value.

    Raises:
        ValueError: the value is none of those allowed.
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        refuse(name, expected, value)
    if not (above < value < below and least <= value <= most):
        refuse(name, expected, value)
    return float(value)


def whole(name: str, value: Any, *, least: int, most: int | None) -> int:
    """Returns `value` as an int; refuses what is no whole number of `least` to `most`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        refuse(name, f"a whole number of at least {least}", value)
    if value > most:
        refuse(name, f"a whole number of at most {most}", value)
    return int(value)


def epsilon(name: str, value: Any) -> float:
    """Returns an epsilon in pixels of [0, 1] as a float."""
    return real(name, value, "in (0, 1]", above=0, most=1)


def temperature(name: str, value: Any) -> float:
    """Returns a temperature as a float; refuses what float32 cannot divide logits by."""
    return checked_temperature(name, real(name, value, "above 0", above=0))


def refuse(name: str, expected: str, received: object) -> None:
    """Raises the `ValueError` that says what was expected and what was received."""
    raise ValueError(f"`{name}` must be {expected}. Received: {name}={received!r}")

"""Checks of arguments that a caller gives, with one form of error text. Standard library only."""

import math
import numbers
from collections.abc import Iterable
from typing import Any, NoReturn

# Beyond these, logits divided by T in float32 are all zero or not finite.
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 1e-6, 1e6
TEMPERATURES = f"a number from {LOWEST_TEMPERATURE:g} to {HIGHEST_TEMPERATURE:g}"
MOST_STEPS = 10**4  # of crafting
MOST_TRAINED_STEPS = 2**53  # whole numbers up to here are exact floats, too
LARGEST_SEED = 2**63 - 1


def refuse(name: str, expected: str, received: object) -> NoReturn:
    """Raises the `ValueError` that says what was expected and what was received."""
    raise ValueError(f"`{name}` must be {expected}. Received: {name}={received!r}")


def real(
    name: str,
    value: Any,
    expected: str,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
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


def positive(name: str, value: Any) -> float:
    """Returns `value` as a float; refuses anything but a finite number above zero."""
    return real(name, value, "a finite number > 0", above=0)


def epsilon(name: str, value: Any) -> float:
    """Returns an epsilon in pixels of [0, 1] as a float."""
    return real(name, value, "in (0, 1]", above=0, most=1)


def temperature(name: str, value: Any) -> float:
    """Returns a temperature as a float; refuses what float32 cannot divide logits by."""
    return real(name, value, TEMPERATURES, least=LOWEST_TEMPERATURE, most=HIGHEST_TEMPERATURE)


def whole(name: str, value: Any, *, least: int, most: int | None = None) -> int:
    """Returns `value` as an int; refuses what is no whole number of `least` to `most`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        refuse(name, f"a whole number of at least {least}", value)
    if most is not None and value > most:
        refuse(name, f"a whole number of at most {most}", value)
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

"""How numbers and names are written for people, the same in tables, figures and sentences."""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from robust_keras import durations
from robust_keras.findings import ModelReport, Report

NO_BREAK_SPACE = "\u00a0"
UNKNOWN = "unknown"
_LONGEST_LIST = 8
# Of models' names, in a line of a terminal and on the page.
SHORT, LONG = 32, 48


def images_of(report: Report) -> str:
    """Writes which images a report is about: `1,000 images of mnist (test)`."""
    dataset = report.dataset
    return f"{plural(dataset.examples, 'image')} of {visible(dataset.name)} ({dataset.split})"


def attack_of(report: Report) -> str:
    """Writes how far an attacker may go: `linf, epsilon up to 0.3`."""
    threat_model = report.threat_model
    return f"{threat_model.norm}, epsilon up to {epsilon(threat_model.epsilons[-1])}"


def nonsense_of(report: Report, noise: str = "uniform noise") -> str:
    """Writes what was shown as nonsense: noise, or `images of cifar10`."""
    nonsense = report.dataset.nonsense
    return noise if nonsense is None else f"images of {visible(nonsense.name)}"


def percent(fraction: float) -> str:
    """Writes a fraction as a percentage with one decimal, more where that would round to 0 or 100.

    Example:
        >>> print(*percent(0.1234).split(), *percent(0.00041).split())
        12.3 % 0.04 %
    """
    value = 100.0 * fraction
    for decimals in (1, 2, 3, 4):
        text = f"{value:.{decimals}f}"
        if float(text) not in (0.0, 100.0) or value in (0.0, 100.0):
            break
    return f"{text}{NO_BREAK_SPACE}%"


def confidence(fraction: float) -> str:
    """Writes a confidence as a percentage; what differs from 0 or 100 by less than 0.01 says so.

    Example:
        >>> print(*confidence(0.4567).split(), *confidence(0.999999).split())
        45.7 % > 99.99 %
    """
    if fraction > 0.9999:
        return f">{NO_BREAK_SPACE}99.99{NO_BREAK_SPACE}%"
    if fraction < 0.0001:
        return f"<{NO_BREAK_SPACE}0.01{NO_BREAK_SPACE}%"
    return percent(fraction)


def count(number: int) -> str:
    """Writes a whole number with commas between thousands."""
    return f"{number:,}"


def times(factor: float) -> str:
    """Writes how much a change is amplified: `amplified 5 times`, or that it is not."""
    return "not amplified" if factor == 1 else f"amplified {factor:g} times"


def plural(number: int, noun: str) -> str:
    """Writes a count and its noun: `1 attack`, `4 attacks`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def seconds(value: float) -> str:
    """Writes a measured duration as the terminal does, in one piece."""
    return durations.measured(value).replace(" ", NO_BREAK_SPACE)


def per_image(total: int, images: int) -> str:
    """Writes a total as a number an image, with one decimal below a hundred."""
    value = total / images
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def epsilon(value: float) -> str:
    """Writes an epsilon as it was most likely given: a short decimal, or n/255, or four digits.

    Example:
        >>> epsilon(0.1), epsilon(8 / 255), epsilon(0.0123456)
        ('0.1', '8/255', '0.01235')
    """
    short = f"{value:.4g}"
    if not math.isclose(float(short), value, rel_tol=1e-6) and (steps := _pixel_steps(value)):
        return f"{steps}/255"
    return short


def epsilon_in_full(value: float) -> str:
    """Writes an epsilon both ways where it is a whole number of 8-bit pixel steps.

    Example:
        >>> epsilon_in_full(8 / 255), epsilon_in_full(0.2), epsilon_in_full(0.1)
        ('8/255 (0.03137)', '0.2 (51/255)', '0.1')
    """
    steps = _pixel_steps(value)
    if not steps:
        return epsilon(value)
    short = epsilon(value)
    return f"{short} ({value:.4g})" if "/" in short else f"{short} ({steps}/255)"


def _pixel_steps(value):
    steps = round(value * 255)
    return steps if steps >= 1 and abs(value * 255 - steps) < 1e-4 else 0


def shortened(text: str, length: int) -> str:
    """Gives a text of at most `length` characters on one line, its middle left out if need be."""
    text = " ".join(visible(text).split())
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[len(text) - tail :]}"


def visible(text: str) -> str:
    """Gives a text whose control and half characters, which a path may hold, are spelled out."""
    return "".join(
        character if _shows(character) else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _shows(character):
    # What is no character at all (Cn) has no place in XML.
    return unicodedata.category(character) not in ("Cc", "Cf", "Cn", "Cs") or character in "\n\t"


def display_names(models: Sequence[ModelReport]) -> list[str]:
    """Gives one name a model: its short name, or its path where two would share a name."""
    names = [model.name for model in models]
    return [visible(model.name if names.count(model.name) == 1 else model.path) for model in models]


def terminal_names(report: Report) -> list[str]:
    """Gives one name a model, short enough for a line in a terminal."""
    names = (shortened(name, SHORT) for name in display_names(report.models))
    return [name.replace("…", "...") for name in names]


def page_names(report: Report) -> list[str]:
    """Gives one name a model, as long as there is room for on the page."""
    return [shortened(name, LONG) for name in display_names(report.models)]


def listed(items: Iterable[str]) -> str:
    """Writes `a`, `a and b` or `a, b and c`."""
    items = list(items)
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def plain(text: str) -> str:
    """Gives a text without the spaces that hold a number and its unit together."""
    return text.replace(NO_BREAK_SPACE, " ")


def settings(values: Mapping[str, Any]) -> str:
    """Writes settings or evidence on one line, long lists cut short."""
    return "; ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in values.items())


def _value(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, list):
        shown = ", ".join(_value(item) for item in value[:_LONGEST_LIST])
        more = len(value) - _LONGEST_LIST
        return f"[{shown}, and {more} more]" if more > 0 else f"[{shown}]"
    if isinstance(value, dict):
        return f"({settings(value)})"
    return shortened(str(value), 120)

"""Fields of findings by what they hold: each takes its meaning, and `null=True` where None may be.

A field that may be None is so unless it is given; other settings are those of `finding.field`.
"""

import functools
import typing
from typing import Any

from robust_keras.findings import kinds
from robust_keras.findings.finding import Finding, Part, field


def _field(kind: kinds.Kind, meaning: str, *, null: bool = False, **settings) -> typing.Any:
    if null:
        return field(kinds.OrNone(kind), meaning, **{"default": None} | settings)
    return field(kind, meaning, **settings)


text = functools.partial(_field, kinds.TEXT)
count = functools.partial(_field, kinds.COUNT)
positive_count = functools.partial(_field, kinds.POSITIVE_COUNT)
boolean = functools.partial(_field, kinds.BOOLEAN)
number = functools.partial(_field, kinds.Number())
fraction = functools.partial(_field, kinds.FRACTION)
confidence = functools.partial(_field, kinds.CONFIDENCE)
fractions = functools.partial(_field, kinds.ListOf(kinds.FRACTION))
mapping = functools.partial(_field, kinds.Mapping())
texts = functools.partial(_field, kinds.ListOf(kinds.TEXT), default=())


def part(finding: type[Finding], meaning: str, **settings: Any) -> typing.Any:
    """A field that holds another finding."""
    return _field(Part(finding), meaning, **settings)


def parts(finding: type[Finding], meaning: str, *, least: int = 0, **settings: Any) -> typing.Any:
    """A field that holds a list of findings, at least so many."""
    return _field(kinds.ListOf(Part(finding), least=least), meaning, **settings)

"""Fields of findings by what they hold: each takes its meaning and what `finding.field` takes."""

import functools
import typing
from typing import Any

from robust_keras.findings import kinds
from robust_keras.findings.finding import Finding, Part, field

text = functools.partial(field, kinds.TEXT)
count = functools.partial(field, kinds.COUNT)
positive_count = functools.partial(field, kinds.POSITIVE_COUNT)
boolean = functools.partial(field, kinds.BOOLEAN)
number = functools.partial(field, kinds.Number())
fraction = functools.partial(field, kinds.FRACTION)
confidence = functools.partial(field, kinds.CONFIDENCE)
fractions = functools.partial(field, kinds.ListOf(kinds.FRACTION))
mapping = functools.partial(field, kinds.Mapping())
texts = functools.partial(field, kinds.ListOf(kinds.TEXT), default=())


def part(finding: type[Finding], meaning: str, **settings: Any) -> typing.Any:
    """A field that holds another finding."""
    return field(Part(finding), meaning, **settings)


def parts(finding: type[Finding], meaning: str, *, least: int = 0, **settings: Any) -> typing.Any:
    """A field that holds a list of findings, at least so many."""
    return field(kinds.ListOf(Part(finding), least=least), meaning, **settings)

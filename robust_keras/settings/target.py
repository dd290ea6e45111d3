"""The flag of which answer an attacker wants."""

import dataclasses
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings.field import flag
from robust_keras.settings.kind import Kind, refuse

ALL = "all"
_MOST_DIGITS = 9


@dataclasses.dataclass(frozen=True)
class ClassOrAll(Kind):
    """A class, by its number from 0 on, or all of them; None for neither."""

    optional: bool = True

    def _read(self, text):
        number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        return int(text) if number else text

    def _check(self, value):
        number = (
            isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MOST_DIGITS
        )
        if not number and value != ALL:
            refuse("a class, a whole number from 0 on, or all", value)


@dataclasses.dataclass(frozen=True)
class TargetFlags:
    """What counts as fooled."""

    target_class: int | str | None = flag(
        None,
        ClassOrAll(),
        "Count an image as fooled only if it is answered with this class; images of the class are "
        "left out. all: any wrong answer counts, and every class is wanted in turn, for a table of "
        "which class can be made of which.",
        unset="any wrong answer counts",
    )

    @property
    def wanted(self) -> int | None:
        """The one answer that counts, or None where any does."""
        return self.target_class if isinstance(self.target_class, int) else None

    def check_together(self: Any) -> None:
        """Raises InputError beside what has no answer to aim at."""
        if self.wanted is None:
            return
        for name, unset in (
            ("transfer", False),
            ("minimal_epsilon", False),
            ("certify", ("none",)),
        ):
            if getattr(self, name) != unset:
                expected = f"nothing beside --target_class={self.target_class}"
                raise InputError.expected(f"--{name}", expected, getattr(self, name))

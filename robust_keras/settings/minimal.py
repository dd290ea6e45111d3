"""Flags of the search for each image's smallest epsilon."""

import dataclasses
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings import names, values
from robust_keras.settings.field import flag, switch


@dataclasses.dataclass(frozen=True)
class MinimalFlags:
    """Smallest epsilons."""

    minimal_epsilon: bool = switch(
        "Search for the smallest epsilon that changes each image's class."
    )
    minimal_attack: str = flag(
        "quick",
        values.Choice(names.ATTACKS, others=True),
        "Attack that --minimal_epsilon uses (fgsm: epsilon is raised until the class changes).",
        needs="minimal_epsilon",
    )

    minimal_largest: float | None = flag(
        None,
        values.Number(
            minimum=values.SMALLEST_EPSILON, maximum=values.LARGEST_EPSILON, optional=True
        ),
        "Largest epsilon that --minimal_epsilon tries, in l2 also above 1.",
        needs="minimal_epsilon",
        unset="the largest of --epsilons",
    )

    @property
    def largest_searched(self: Any) -> float:
        """The largest epsilon that is tried."""
        return self.minimal_largest or self.epsilons[-1]

    def check_together(self: Any) -> None:
        """Raises InputError for the first value that does not fit another."""
        if self.norm == "linf" and (self.minimal_largest or 0) > 1.0:
            received = f"{self.minimal_largest}{values.pixels(self.minimal_largest)}"
            raise InputError.expected("--minimal_largest", "at most 1 with --norm=linf", received)
        if self.minimal_epsilon and not self.largest_searched:
            raise InputError.expected("--epsilons", "one above 0 with --minimal_epsilon", "0")

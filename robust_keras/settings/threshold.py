"""The flag by which an evaluation fails where a model is not robust enough."""

import dataclasses
import math
from typing import Any

from robust_keras.errors import InputError
from robust_keras.settings.field import flag
from robust_keras.settings.kind import Kind, refuse
from robust_keras.settings.numbers import read_real


@dataclasses.dataclass(frozen=True)
class Thresholds(Kind):
    """Texts such as `0.80@0.1`, an accuracy at an epsilon, separated by commas."""

    optional: bool = True
    _expected = "an accuracy in [0, 1] at an epsilon, such as 0.80@0.1 or 0.5@8/255"

    def _check(self, value):
        try:
            pairs = read_thresholds(value)
        except (ValueError, TypeError, AttributeError):
            pairs = [(math.nan, math.nan)]
        if not all(0.0 <= accuracy <= 1.0 and epsilon > 0.0 for accuracy, epsilon in pairs):
            refuse(self._expected, value)


def read_thresholds(text: str | None) -> list[tuple[float, float]]:
    """List of (accuracy, epsilon); empty for None.

    Raises:
        ValueError: the text is something else.
    """
    pairs = [] if text is None else [part.partition("@") for part in text.split(",")]
    return [(read_real(accuracy), read_real(epsilon)) for accuracy, _, epsilon in pairs]


@dataclasses.dataclass(frozen=True)
class ThresholdFlags:
    """What counts as failure."""

    fail_below: str | None = flag(
        None,
        Thresholds(),
        "Exit code 3 where a model's worst case is lower, or a check of its audit failed: 0.80@0.1 "
        "is 80 % at epsilon 0.1, one of --epsilons. The report is written all the same. Several "
        "thresholds are separated by commas.",
        unset="none",
        decides_results=False,
    )

    def check_together(self: Any) -> None:
        """Raises InputError where a threshold is at none of the epsilons."""
        for _, epsilon in read_thresholds(self.fail_below):
            if epsilon not in self.epsilons:
                raise InputError.expected(
                    "--fail_below",
                    "an epsilon of --epsilons (" + ", ".join(f"{e:g}" for e in self.epsilons) + ")",
                    f"{epsilon:g}",
                )

"""Flags of the search for each image's smallest epsilon."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.flags import values
from robust_keras.flags.field import flag

# Those that search hard enough for the smallest epsilon to mean something.
MINIMAL_ATTACKS = (
    "quick",
    "autoattack",
    "margin_pgd",
    "apgd_ce",
    "apgd_dlr",
    "apgd_targeted",
    "fab_targeted",
    "deepfool",
    "cw",
    "square",
)


@dataclasses.dataclass(frozen=True)
class MinimalFlags:
    """Smallest epsilons."""

    minimal_epsilon: bool = flag(
        False,
        values.Truth(),
        "Search for the smallest epsilon, up to the largest of --epsilons, that changes each "
        "image's class.",
    )
    minimal_attack: str = flag(
        "quick", values.Choice(MINIMAL_ATTACKS), "Attack that --minimal_epsilon uses."
    )

    def check_together(self):
        """Raises InputError for the first value that does not fit another."""
        if not self.minimal_epsilon and self.minimal_attack != "quick":
            raise InputError.expected(
                "--minimal_attack", "quick without --minimal_epsilon", self.minimal_attack
            )
        if self.minimal_attack == "cw" and self.norm != "l2":
            raise InputError.expected(
                "--minimal_attack", f"an attack for --norm={self.norm}", self.minimal_attack
            )
        if self.minimal_epsilon and self.epsilons == (0.0,):
            raise InputError.expected("--epsilons", "one above 0 with --minimal_epsilon", "0")

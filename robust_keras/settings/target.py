"""The flag of which answer an attacker wants."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag


@dataclasses.dataclass(frozen=True)
class TargetFlags:
    """What counts as fooled."""

    target_class: int | None = flag(
        None,
        values.Whole(0, 1_000_000, optional=True),
        "Count an image as fooled only if it is answered with this class; images of the class are "
        "left out.",
        unset="any wrong answer counts",
    )

    def check_together(self) -> None:
        """Raises InputError beside what has no answer to aim at."""
        if self.target_class is None:
            return
        for name, unset in (
            ("transfer", False),
            ("minimal_epsilon", False),
            ("certify", ("none",)),
        ):
            if getattr(self, name) != unset:
                raise InputError.expected(
                    f"--{name}", "nothing beside --target_class", getattr(self, name)
                )

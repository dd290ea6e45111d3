"""Flags of the attacks that run, and of the files that bring a user's own."""

import dataclasses
from typing import Any

from robust_keras.settings import names, values
from robust_keras.settings.field import check_value, flag

# What `robust_keras.attacks.register` has added to the program's own.
REGISTERED: list[str] = []


@dataclasses.dataclass(frozen=True)
class AttackFlags:
    """Which attacks run: the program's and the user's own."""

    attacks: tuple[str, ...] = flag(
        ("uniform_noise", "fgsm", "pgd", "mim"),
        values.Choices(names.ATTACKS, others=True),
        "Attacks, comma separated.",
    )
    plugins: tuple[str, ...] = flag(
        (),
        values.Paths("paths of Python files", optional=True),
        "Python files with attacks and sections of the report of your own, comma separated. They "
        "are run, and call robust_keras.attacks.register or robust_keras.reporting.register.",
    )

    def check_together(self: Any) -> None:
        """Raises InputError for an attack that nobody has registered and no plugin could bring."""
        for field in dataclasses.fields(self):
            kind = field.metadata["parse"]
            if getattr(kind, "others", False) and not self.plugins:  # which are not loaded yet
                known = (*kind.names, *REGISTERED)
                kind = dataclasses.replace(kind, names=known, others=False)
                check_value(field.name, kind, getattr(self, field.name))

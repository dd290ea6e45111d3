"""Flags of the attacks that run, and of the files that bring a user's own."""

import dataclasses

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
        values.Texts("paths of Python files", optional=True),
        "Python files with attacks and sections of the report of your own, comma separated. They "
        "are run, and call robust_keras.attacks.register or robust_keras.reporting.register.",
    )

    def check_together(self):
        """Raises InputError for an attack that only a plugin could bring, where there is none."""
        check_plugged(self, "attacks", values.Choices(names.ATTACKS))


def check_plugged(flags, name, kind):
    """Raises InputError for an attack that nobody has registered and no plugin could bring.

    Args:
        flags: settings with `plugins`, which are loaded later.
        name: which of them names the attack, or several.
        kind: `Choice` or `Choices` of the program's own.
    """
    kind = dataclasses.replace(kind, names=(*kind.names, *REGISTERED))
    given = getattr(flags, name)
    unknown = set(given if isinstance(given, tuple) else (given,)) - set(kind.names)
    if not flags.plugins or unknown & set(names.ATTACKS):
        check_value(name, kind, given)

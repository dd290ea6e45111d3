"""Flags of the attacks that run, and of the files that bring a user's own."""

import dataclasses

from robust_keras.errors import InputError
from robust_keras.settings import values
from robust_keras.settings.field import flag

ATTACK_NAMES = (
    "fgsm",
    "step_ll",
    "bim",
    "pgd",
    "mim",
    "margin_pgd",
    "apgd_ce",
    "apgd_dlr",
    "apgd_targeted",
    "apgd_accepted",
    "fab_targeted",
    "deepfool",
    "cw",
    "jsma",
    "square",
    "spsa",
    "es_pgd",
    "hopskipjump",
    "autoattack",
    "quick",
    "uniform_noise",
    "gaussian_noise",
)


@dataclasses.dataclass(frozen=True)
class AttackFlags:
    """Which attacks run: the program's and the user's own."""

    attacks: tuple[str, ...] = flag(
        ("uniform_noise", "fgsm", "pgd", "mim"),
        values.Choices(ATTACK_NAMES, others=True),
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
        check_plugged(self, "attacks", values.Choices(ATTACK_NAMES))


def check_plugged(flags, name, kind):
    """Raises InputError for an attack that neither a kind of value knows nor a plugin could bring.

    Args:
        flags: settings with `plugins`.
        name: which of them names the attack, or several.
        kind: `Choice` or `Choices` of the program's own.
    """
    given = getattr(flags, name)
    named = given if isinstance(given, tuple) else (given,)
    if flags.plugins and not set(named) - set(kind.names) & set(ATTACK_NAMES):
        return
    try:
        kind.check(given)
    except ValueError as error:
        raise InputError(f"--{name}: {error}") from error

"""Which accuracies of a model fit each other."""

from collections.abc import Sequence
from typing import Any

from robust_keras.findings.kinds import TOLERANCE


def check_accuracies(model: Any) -> None:
    """Raises ValueError unless proved <= worst case <= each attack <= clean, one an epsilon.

    Args:
        model: a `ModelReport`.
    """
    worst = model.worst_case.accuracy
    clean = (model.clean_accuracy,) * len(worst)
    _check_at_most("worst case", worst, "the clean accuracy", clean)
    if model.certified is not None:
        _check_at_most("certified", model.certified.accuracy, "the worst case", worst)
    for attack in model.attacks:
        check_one_each(f"`accuracy` of {attack.name}", attack.accuracy, worst)
        _check_at_most(attack.name, attack.accuracy, "the clean accuracy", clean)
        _check_at_most("worst case", worst, attack.name, attack.accuracy)
        if attack.skipped and min(attack.accuracy) < model.clean_accuracy - TOLERANCE:
            raise ValueError(
                f"{attack.name} was skipped, so its accuracy must be the clean accuracy "
                f"{model.clean_accuracy}. Received: {attack.accuracy}"
            )


def check_one_each(
    name: str, values: Sequence[float], owners: Sequence[Any], owner: str = "an epsilon"
) -> None:
    """Raises ValueError unless there are as many numbers as there are epsilons, or other owners."""
    if len(values) != len(owners):
        raise ValueError(f"{name} must hold one number {owner}, {len(owners)}. Received: {values}")


def check_falling(rule: str, values: Sequence[float]) -> None:
    """Raises ValueError, which begins with the rule, where a number is above the one before it."""
    if any(b > a + TOLERANCE for a, b in zip(values, values[1:], strict=False)):
        raise ValueError(f"{rule}. Received: {values}")


def _check_at_most(name, accuracy, limit_name, limit):
    if any(a > b + TOLERANCE for a, b in zip(accuracy, limit, strict=True)):
        raise ValueError(
            f"{name} must not exceed {limit_name}: {limit}. Received: {name}={accuracy}"
        )

"""Which accuracies of a model fit each other."""

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
        if len(attack.accuracy) != len(worst):
            raise ValueError(
                f"`accuracy` of {attack.name} must hold one number an epsilon, {len(worst)}. "
                f"Received: {attack.accuracy}"
            )
        _check_at_most(attack.name, attack.accuracy, "the clean accuracy", clean)
        _check_at_most("worst case", worst, attack.name, attack.accuracy)
        if attack.skipped and min(attack.accuracy) < model.clean_accuracy - TOLERANCE:
            raise ValueError(
                f"{attack.name} was skipped, so its accuracy must be the clean accuracy "
                f"{model.clean_accuracy}. Received: {attack.accuracy}"
            )


def _check_at_most(name, accuracy, limit_name, limit):
    if any(a > b + TOLERANCE for a, b in zip(accuracy, limit, strict=True)):
        raise ValueError(
            f"{name} must not exceed {limit_name}: {limit}. Received: {name}={accuracy}"
        )

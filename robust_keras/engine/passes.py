"""Counts in passes of the model, where one answer takes several."""

import dataclasses
from typing import Any

from robust_keras.attackable import Attackable, told


def in_passes(result: Any, classifier: Attackable) -> Any:
    """An attack's result with its counts in passes of the model, where an answer takes several.

    Args:
        result: `AttackResult`, or any with the same counts.
        classifier: the attacked one, perhaps an average.
    """
    passes = told(classifier, "passes")
    return dataclasses.replace(
        result,
        gradient_evaluations=passes * result.gradient_evaluations,
        forward_evaluations=passes * result.forward_evaluations,
    )

"""Counts in passes of the model, where one answer takes several."""

import dataclasses

from robust_keras.attackable import told


def in_passes(result, classifier):
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

"""An evaluation, and what a later attack found on some of its images, as one evaluation."""

import dataclasses

import numpy as np

from robust_keras.engine.gallery import MOST_SHOWN
from robust_keras.engine.results import Evaluation

_OF_THE_NEAREST = ("epsilon", "distance", "margin", "adversarial_class")


def joined(evaluation: Evaluation, places: np.ndarray, later: Evaluation) -> Evaluation:
    """The evaluation with what was found later counted in.

    Args:
        evaluation: `Evaluation`.
        places: int array (some,), of the images that were attacked again.
        later: `Evaluation` of these, at the same epsilons.

    Returns:
        An `Evaluation` with the same attacks: worst case, examples and the table of images are
        those of all together.
    """
    worst_case = _lowered(evaluation.worst_case, places, later.worst_case)
    with_rejection = evaluation.worst_case_with_rejection
    if with_rejection is not None:
        with_rejection = _lowered(with_rejection, places, later.worst_case_with_rejection)
    return dataclasses.replace(
        evaluation,
        worst_case=worst_case,
        worst_case_with_rejection=with_rejection,
        examples=_examples(evaluation.examples, places, later.examples),
        per_image=_per_image(evaluation.per_image, places, later.per_image),
    )


def _lowered(before, places, after):
    lowered = before.copy()
    lowered[:, places] &= after
    return lowered


def _examples(before, places, after):
    """The nearest of each image; those that were shown before stay."""
    shown = {example.index: example for example in before}
    for example in after:
        index = int(places[example.index])
        known = shown.get(index)
        if known is None and len(shown) < MOST_SHOWN or known and example.epsilon < known.epsilon:
            shown[index] = dataclasses.replace(example, index=index)
    return tuple(sorted(shown.values(), key=lambda e: (e.label, e.epsilon, e.index)))


def _per_image(table, places, later):
    """The table of all images with the smaller epsilon of both in every line."""
    if table is None:
        return None
    new = ~(later.epsilon >= table.epsilon[places]) & np.isfinite(later.epsilon)
    rows = places[new]
    values = {name: np.array(getattr(table, name)) for name in _OF_THE_NEAREST}
    standing = np.isnan(values["epsilon"][places]) & ~new
    values["margin"][places[standing]] = np.fmin(
        values["margin"][places[standing]], later.margin[standing]
    )
    for name, column in values.items():
        column[rows] = getattr(later, name)[new]
    if table.top_epsilon is not None:
        values["top_epsilon"] = np.array(table.top_epsilon)
        values["top_epsilon"][places] = np.fmin(table.top_epsilon[places], later.top_epsilon)
    attack = list(table.attack)
    for place in np.flatnonzero(new):
        attack[places[place]] = later.attack[place]
    return dataclasses.replace(
        table, attack=tuple(attack), adversarial=_adversarial(table, places, later, new), **values
    )


def _adversarial(table, places, later, new):
    """The adversarial images that are kept, or None where none are."""
    if table.adversarial is None:
        return None
    found = {int(places[i]): later.adversarial[i] for i in np.flatnonzero(new)}
    return {**table.adversarial, **found}

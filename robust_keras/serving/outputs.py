"""Chooses, among a model's outputs, the one that holds the scores of the classes."""

import numpy as np

from robust_keras.errors import InputError
from robust_keras.serving.probing import are_probabilities


def choose_output(path, outputs, batch):
    """The name of the output to attack, and what it holds.

    Candidates are floating-point outputs of shape (batch, classes), classes >= 2. One of them wins
    if it is the only one; or the only one with "logit" in its name; or the only one of the same
    width whose softmax has the same winner as an output of probabilities; or the only one of
    probabilities.

    Args:
        path: of the model, for the error.
        outputs: dict from name to array, for a batch of made-up images.
        batch: number of those images.

    Returns:
        `(name, kind)`, kind being "logits" or "probabilities".

    Raises:
        InputError: no candidate, or several without a reason to prefer one.
    """
    candidates = {name: value for name, value in outputs.items() if _holds_scores(value, batch)}
    shown = ", ".join(f"'{k}' {v.dtype.name} {v.shape}" for k, v in sorted(outputs.items()))
    if not candidates:
        raise InputError.expected(
            str(path), "a model with a float output of shape (batch, classes)", f"outputs {shown}"
        )
    name = _preferred(candidates)
    if name is None:
        raise InputError.expected(
            str(path),
            "a model whose outputs leave no doubt which are the logits",
            f"outputs {shown}",
        )
    return name, "probabilities" if are_probabilities(candidates[name]) else "logits"


def _preferred(candidates):
    if len(candidates) == 1:
        return next(iter(candidates))
    named = [name for name in candidates if "logit" in name.lower()]
    if len(named) == 1:
        return named[0]
    probable = [name for name, value in candidates.items() if are_probabilities(value)]
    if len(probable) != 1:
        return None
    winners = np.argmax(candidates[probable[0]], axis=-1)
    width = candidates[probable[0]].shape[-1]
    scores = [
        name
        for name, value in candidates.items()
        if name not in probable
        and value.shape[-1] == width
        and np.array_equal(np.argmax(value, axis=-1), winners)
    ]
    return scores[0] if len(scores) == 1 else probable[0]


def _holds_scores(value, batch):
    shape = value.shape
    return "float" in value.dtype.name and len(shape) == 2 and shape[0] == batch and shape[1] >= 2

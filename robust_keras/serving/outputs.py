"""Chooses, among a model's outputs, the one that holds the scores of the classes."""

import pathlib
from typing import Any

import numpy as np

from robust_keras.errors import InputError
from robust_keras.serving.views.scores import Scores, are_probabilities, width_of


def choose_output(
    path: str | pathlib.Path,
    outputs: Any,
    batch: int,
    *,
    name: str | None = None,
    num_classes: int | None = None,
) -> tuple:
    """The output to attack, and how it is read.

    Candidates are floating-point outputs of shape (batch, classes), which may have axes of length 1
    between; one column tells two classes apart and is looked at only where nothing wider is there.
    One of them wins if it is the only one; or the only one with "logit" in its name; or the only
    one of the same width whose softmax has the same winner as an output of probabilities; or the
    only one of probabilities; or the only one with a column for each class of the data set.

    Args:
        path: of the model, for the error.
        outputs: dict from name to array, for a few images.
        batch: number of those images.
        name: of the output that shall be taken, or None.
        num_classes: of the data set, or None where that is not known.

    Returns:
        `(scores, note)`: `Scores`, and None or a sentence.

    Raises:
        InputError: no candidate, none of that name, or several without a reason to prefer one.
    """
    candidates = {key: value for key, value in outputs.items() if _width(value, batch)}
    shown = ", ".join(f"'{k}' {_kind(v, batch)}" for k, v in sorted(outputs.items()))
    if not candidates:
        raise InputError.expected(
            str(path), "a model with a float output of shape (batch, classes)", f"outputs {shown}"
        )
    if name is not None:
        return _named(path, name, candidates, batch)
    wide = {key: value for key, value in candidates.items() if _width(value, batch) > 1}
    chosen, note = _preferred(wide or candidates, batch, num_classes)
    if chosen is None:
        raise InputError.expected(
            str(path),
            "a model whose outputs leave no doubt which are the logits (name one of them with "
            f"--output={' or --output='.join(sorted(candidates))})",
            f"outputs {shown}",
        )
    return _scores(chosen, candidates[chosen], batch), note


def _named(path, name, candidates, batch):
    if name in candidates:
        return _scores(name, candidates[name], batch), None
    if len(candidates) > 1:
        names = " or ".join(sorted(candidates))
        raise InputError.expected(f"--output={name}", f"{names}, outputs of {path}", name)
    only = next(iter(candidates))
    return _scores(only, candidates[only], batch), f"It has one output, none is named {name}."


def _scores(name, value, batch):
    kind = "probabilities" if are_probabilities(value) else "logits"
    return Scores(name, _width(value, batch), kind)


def _kind(value, batch):
    sides = ["batch" if value.shape[:1] == (batch,) else side for side in value.shape[:1]]
    return f"{value.dtype.name} ({', '.join(map(str, [*sides, *value.shape[1:]]))})"


def _width(value, batch):
    return width_of(value.shape, batch) if "float" in value.dtype.name else None


def _preferred(candidates, batch, num_classes):
    if len(candidates) == 1:
        return next(iter(candidates)), None
    named = [name for name in candidates if "logit" in name.lower()]
    if len(named) == 1:
        return named[0], None
    probable = [name for name, value in candidates.items() if are_probabilities(value)]
    if len(probable) == 1:
        return _logits_beside(candidates, probable[0]) or probable[0], None
    wanted = [name for name, value in candidates.items() if _width(value, batch) == num_classes]
    if len(wanted) != 1:
        return None, None
    others = ", ".join(f"'{name}'" for name in sorted(candidates) if name != wanted[0])
    reason = f"it alone has {num_classes} columns, one a class; beside it there is {others}"
    return wanted[0], f"Its output '{wanted[0]}' is attacked: {reason}."


def _logits_beside(candidates, probable):
    """The only output of the same width and with the same winners, or None."""
    probabilities = candidates[probable]
    scores = [
        name
        for name, value in candidates.items()
        if name != probable
        and value.shape[-1] == probabilities.shape[-1]
        and _same_winners(_rows(value), _rows(probabilities))
    ]
    return scores[0] if len(scores) == 1 else None


def _same_winners(scores, probabilities):
    usable = np.isfinite(scores).all(axis=-1) & np.isfinite(probabilities).all(axis=-1)
    scores, probabilities = scores[usable], probabilities[usable]
    if scores.shape[-1] == 1:
        return np.array_equal(scores > 0.0, probabilities > 0.5)
    return np.array_equal(np.argmax(scores, axis=-1), np.argmax(probabilities, axis=-1))


def _rows(values):
    return values.reshape(len(values), -1)

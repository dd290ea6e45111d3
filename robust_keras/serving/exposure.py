"""What a model hides from gradients: a softmax at its end, a cast of bytes at its beginning."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.serving import probing
from robust_keras.serving.views.scores import are_shares

_TOLERANCE = 1e-3
_SAME = 1e-5


def accepting_floats(model: Any, view: Any, probes: np.ndarray) -> tuple:
    """A model of whole numbers as one of floats, where both are the same for whole numbers.

    Args:
        model: `Editable`.
        view: function from an `Endpoint` of the model to one of images in [0, 1].
        probes: float32 array (images, height, width, channels).

    Returns:
        `(model, note)`: the model as it is, where there is nothing to do or nothing can be done;
        the note is None where it takes floats anyway.
    """
    own = model.entrance.endpoint
    if not own.whole:
        return model, None
    kind = f"It takes whole numbers ({own.dtype.name}): pixels are rounded on the way in"
    floats = model.with_floats()
    if floats is not None and _same_answers(view(floats.entrance.endpoint), view(own), probes):
        return floats, f"{kind}, and gradients go straight through the rounding."
    return model, f"{kind}, and what it does with them first has no gradient."


def without_activation(model: Any, view: Any, scores: Any, probes: np.ndarray) -> tuple:
    """The model without the softmax, or the sigmoid, at its end.

    It is taken out only where the operation, applied to what came before it, gives the model's own
    answers again.

    Args:
        model: `Editable`.
        view: function from an `Endpoint` of the model to one of images in [0, 1].
        scores: `Scores`, how its output is read.
        probes: float32 array (images, height, width, channels).

    Returns:
        `(endpoint, scores)`, the endpoint behind its view. Probabilities whose origin is not found
        are read by their logarithm.
    """
    endpoint = view(model.entrance.endpoint)
    answers = probing.run_any_batch(endpoint, probes)[scores.output]
    name = _operation(scores, answers)
    if name is None:
        return endpoint, scores
    found = model.without(scores.output, name)
    if found is not None:
        exposed = view(found)
        before = probing.run_any_batch(exposed, probes)[scores.output]
        if _agree(_OPERATIONS[name](np.asarray(before, np.float32)), answers, _TOLERANCE):
            return exposed, dataclasses.replace(scores, kind="probabilities")
    known = scores.kind == "probabilities"
    return endpoint, dataclasses.replace(scores, take_logarithm=known)


_OPERATIONS = {"Softmax": tf.nn.softmax, "Sigmoid": tf.nn.sigmoid}


def _operation(scores, answers):
    """The operation that such answers may come from, or None."""
    if scores.width > 1 and scores.kind == "probabilities":
        return "Softmax"
    return "Sigmoid" if are_shares(answers) else None


def _same_answers(endpoint, other, probes):
    first, second = (probing.run_any_batch(e, probes) for e in (endpoint, other))
    return all(_agree(first[name], second[name], _SAME) for name in second)


def _agree(left, right, tolerance):
    left, right = np.asarray(left), np.asarray(right)
    if left.dtype.kind not in "fiub" or left.shape != right.shape:
        return left.shape == right.shape
    scale = max(1.0, float(np.max(np.abs(right), initial=0.0, where=np.isfinite(right))))
    return np.allclose(left, right, rtol=0.0, atol=tolerance * scale, equal_nan=True)

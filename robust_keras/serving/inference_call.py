"""How a Keras model is asked when it serves: without training, but with what is built in."""

import functools
from collections.abc import Callable

import keras

from robust_keras.layers import keras_private


def inference_call(model: keras.Model) -> Callable:
    """The model as a function, in inference mode but where it was built otherwise.

    A functional model is the one kind in which an outer `training=False` silences a layer that was
    given `training=True` while the model was made (dropout that is meant to stay random), so there
    nothing is said from outside, as `model.export` does. Where nothing was given, nothing may be
    left to the layers either: in a model that begins with random flips or a resizing they take
    themselves, and all that come after them, for a training run.

    Args:
        model: a `keras.Model`.

    Returns:
        A function from the model's input to its output.
    """
    if _was_told_to_train(model):
        return model
    return functools.partial(model, training=False)


def _was_told_to_train(model):
    """Whether a layer was called with `training=True` while a functional model was made."""
    return any(
        node.arguments.kwargs.get("training") is True
        for operation in getattr(model, "operations", ())
        for node in keras_private.calls_of(operation)
    ) or any(
        _was_told_to_train(layer)
        for layer in getattr(model, "layers", ())
        if isinstance(layer, keras.Model)
    )

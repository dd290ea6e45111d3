"""How a Keras model is asked when it serves: without training, but with what is built in."""

import functools
from collections.abc import Callable
from typing import Any

import keras

from robust_keras.layers import keras_private


def inference_call(model: keras.Model) -> Callable:
    """The model as a function, in inference mode but where it was built otherwise.

    A layer that was given `training=True` while a functional model was made (dropout that is meant
    to stay random) does what it was told, as in `model.export`; an outer `training=False` would
    silence it. Every other layer is told `training=False`: a resizing or random flips in front of a
    model take it for a training run, and all that comes after them, where nobody says so. (Random
    flips inside a functional model count as told: Keras writes down their default.)

    Returns:
        A function from the model's input to its output.
    """
    if not _was_told_to_train(model):
        return functools.partial(model, training=False)
    if isinstance(model, keras.Sequential):
        return functools.partial(_one_by_one, model)
    if keras_private.is_functional(model):
        return functools.partial(keras_private.run_graph, model, operation_fn=_as_told)
    return model


def _one_by_one(model, images):
    for layer in model.layers:
        images = _as_told(layer)(images)
    return images


def _as_told(operation: Any) -> Callable:
    """An operation of a model, in training mode where it was told so and nowhere else."""
    if isinstance(operation, keras.Model) and _was_told_to_train(operation):
        inner = inference_call(operation)
        return lambda inputs, **_: inner(inputs)
    if not isinstance(operation, keras.layers.Layer):
        return operation

    def call(*args, training=None, **kwargs):
        return operation(*args, training=training is True, **kwargs)

    return call


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

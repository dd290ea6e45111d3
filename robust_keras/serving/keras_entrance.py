"""Finds the forward pass of a Keras model."""

import pathlib
from typing import Any

import keras
import tensorflow as tf

from robust_keras.serving.endpoint import Endpoint
from robust_keras.serving.entrance import (
    Entrance,
    layout_of_inputs,
    named_tensors,
    refuse,
    shown_specs,
)
from robust_keras.serving.examples import Examples
from robust_keras.serving.inference_call import inference_call

NAME = "__call__"


def keras_entrance(
    path: str | pathlib.Path,
    model: keras.Model,
    *,
    examples: Examples | None = None,
    output: Any = None,
) -> Entrance:
    """The forward pass of a Keras model, as its own `model.export` would serve it.

    What the model was built to do at random, such as a dropout called with `training=True`, stays
    random; everything else is in inference mode.

    Args:
        path: of the model, for errors.
        model: built `keras.Model`.
        examples: `Examples` that it must take, or None.
        output: name of an output, or None.

    Raises:
        InputError: the model does not take one batch of such images.
    """
    specs = _specs(model)
    layout = layout_of_inputs(specs, examples)
    if layout is None:
        refuse(path, shown_specs({spec.name: spec for spec in specs}), [specs], examples)
    endpoint = Endpoint(
        name=NAME,
        call=_call(model),
        batch_shape=tuple(specs[0].shape),
        dtype=specs[0].dtype,
        variables=tuple(model.weights),
        owner=model,
    )
    return Entrance(endpoint, layout, output)


def _call(model):
    # A model that was never called, and one of a single tensor, has no structure to keep.
    structure = getattr(model, "input", 0)
    names = getattr(model, "output_names", None)
    answer = inference_call(model)

    def call(images):
        given = tf.nest.pack_sequence_as(structure, [images])
        return named_tensors(answer(given), names)

    return call


def _specs(model):
    """The `tf.TensorSpec`s of the inputs; none where they are not known."""
    if getattr(model, "inputs", None):
        return [
            tf.TensorSpec(tuple(tensor.shape), tf.as_dtype(tensor.dtype), name=tensor.name)
            for tensor in model.inputs
        ]
    built = (model.get_build_config() or {}).get("input_shape")
    single = isinstance(built, (tuple, list)) and all(
        side is None or isinstance(side, int) for side in built
    )
    if not single:
        return []
    return [tf.TensorSpec(tuple(built), tf.as_dtype(model.compute_dtype), name="images")]

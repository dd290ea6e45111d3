"""What a Keras model that is to be exported takes, and what it answers."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.serving.inference_call import inference_call

_EXPECTED = "a Keras model from one image batch to one (batch, classes) of logits or probabilities"
_OPEN_SIDE = 64
_IMAGES = 8


def image_shape(model: keras.Model, given: Any = None) -> tuple[int | None, ...]:
    """The shape (height, width, channels) of a model's images, with None for open sides.

    Args:
        model: `keras.Model`; one that is not built yet is built, where the shape is given.
        given: (height, width, channels), or None to read it off the model.

    Raises:
        InputError: it cannot be read off the model, or does not fit it, or the model takes
            something other than one batch of floats.
    """
    known = _known_shape(model)
    shape = known if given is None else _checked(given)
    if shape is None:
        advice = "pass image_shape=(height, width, channels)"
        received = f"{type(model).__name__} without known inputs: {advice}"
        raise InputError.expected("model", _EXPECTED, received)
    if known is not None and any(a not in (None, b) for a, b in zip(known, shape, strict=True)):
        raise InputError.expected("image_shape", f"that of the model, {known}", shape)
    return shape


def _known_shape(model):
    """As the model declares it, or None where it does not."""
    inputs = getattr(model, "inputs", None)
    if inputs:
        shapes, dtypes = ([getattr(t, part) for t in inputs] for part in ("shape", "dtype"))
        if len(shapes) != 1 or len(shapes[0]) != 4:
            raise InputError.expected("model", _EXPECTED, f"inputs {list(map(tuple, shapes))}")
        if not tf.as_dtype(dtypes[0]).is_floating:
            received = f"images of {dtypes[0]}: give the model a keras.Input of float32"
            raise InputError.expected("model", "a model of float images in [0, 1]", received)
        return tuple(shapes[0][1:])
    built = (model.get_build_config() or {}).get("input_shape") if model.built else None
    whole = isinstance(built, (tuple, list)) and len(built) == 4
    return tuple(built[1:]) if whole else None


def _checked(shape):
    sides = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    fits = len(sides) == 3 and all(
        side is None or (isinstance(side, int) and not isinstance(side, bool) and side > 0)
        for side in sides
    )
    if not fits:
        raise InputError.expected("image_shape", "(height, width, channels)", shape)
    return sides


def made_up(shape: Any) -> np.ndarray:
    """A few images of noise, float32 (8, height, width, channels) in [0, 1].

    Args:
        shape: (height, width, channels); open sides become 64 pixels, open channels 3.
    """
    sides = [side or _OPEN_SIDE for side in shape[:2]] + [shape[2] or 3]
    return np.random.default_rng(0).uniform(size=(_IMAGES, *sides)).astype(np.float32)


def answers(model: keras.Model, shape: Any) -> np.ndarray:
    """What the model answers to a few images of noise, which also builds it.

    Args:
        model: `keras.Model`.
        shape: (height, width, channels) of its images; open sides become 64 pixels.

    Returns:
        Array (8, columns).

    Raises:
        InputError: it fails on such images, or does not answer one row of numbers an image.
    """
    try:
        outputs = inference_call(model)(tf.constant(made_up(shape)))
    # A model may fail in any way on images that it was not made for.
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]
        raise InputError.expected("model", f"one that runs on {shape} images", reason) from error
    return np.asarray(tf.cast(only_output(outputs), tf.float32))


def only_output(outputs: Any) -> tf.Tensor:
    """The one tensor (batch, columns) that a model returned, alone or in a structure.

    Raises:
        InputError: there are several, or it has another shape.
    """
    tensors = tf.nest.flatten(outputs)
    if len(tensors) != 1 or len(tensors[0].shape) != 2 or not tensors[0].shape[1]:
        shown = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
        advice = "export keras.Model(model.inputs, the output to serve)"
        raise InputError.expected("model", _EXPECTED, f"outputs {shown}: {advice}")
    if not tensors[0].dtype.is_floating:
        raise InputError.expected("model", _EXPECTED, f"outputs of {tensors[0].dtype.name}")
    return tensors[0]

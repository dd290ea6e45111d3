"""Which activation a tensor came out of, for layers whose arithmetic depends on it."""

from typing import Any

import keras

from robust_keras.layers import keras_private

ACTIVATIONS = ("softmax", "sigmoid")
# What hands on what it is given.
_TRANSPARENT = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Identity)
_RANDOM = (keras.layers.Dropout, keras.layers.GaussianNoise)  # nothing at inference


def activation_before(tensor: Any) -> str | None:
    """The activation that a tensor came out of: "softmax", "sigmoid", or None for any other.

    Args:
        tensor: a symbolic tensor of Keras while a functional or sequential model is made, or a
            tensor of numbers, which still has what went into a softmax or sigmoid of Keras.
    """
    history = keras_private.origin_of(tensor)
    if history is not None:
        return _of_operation(history)
    if keras_private.logits_before(tensor) is None:
        return None
    return "sigmoid" if tensor.shape[-1] == 1 else "softmax"


def _of_operation(history):
    operation = history.operation
    name = type(operation).__name__.lower()
    if name.endswith("softmax") and not name.startswith("log"):
        return "softmax"
    if name == "sigmoid":
        return name
    if getattr(operation, "outputs", None) and isinstance(operation, keras.Model):
        return activation_before(operation.outputs[history.tensor_index])
    activation = getattr(getattr(operation, "activation", None), "__name__", None)
    if activation in ACTIVATIONS:
        return activation
    hands_on = isinstance(operation, (*_TRANSPARENT, *_RANDOM)) or (
        isinstance(operation, keras.layers.Activation) and activation == "linear"
    )
    if not hands_on:
        return None
    call = keras_private.calls_of(operation)[history.node_index]
    return activation_before(call.input_tensors[0])

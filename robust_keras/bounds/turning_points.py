"""Where layers that act on every entry by itself turn from falling to rising, or back."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from robust_keras import layers
from robust_keras.errors import InputError

_SILU = -1.2784645427610738
_GELU = -0.7517915929771837

FUNCTIONS: dict[str, tuple[float, ...]] = {
    "linear": (),
    "relu": (),
    "sigmoid": (),
    "tanh": (),
    "softplus": (),
    "elu": (),
    "leaky_relu": (),
    "silu": (_SILU,),
    "gelu": (_GELU,),
}
LAYERS: dict[type, tuple[float, ...]] = {
    **dict.fromkeys(
        (
            keras.layers.ReLU,
            keras.layers.LeakyReLU,
            keras.layers.ELU,
            keras.layers.Normalization,
            keras.layers.Rescaling,
            keras.layers.Flatten,
            keras.layers.Reshape,
            keras.layers.ZeroPadding2D,
            keras.layers.MaxPooling2D,
            keras.layers.AveragePooling2D,
            keras.layers.GlobalAveragePooling2D,
            layers.SmoothReLU,
            layers.ParametricSoftplus,
        ),
        (),
    ),
    # A slope below zero may be of either sign, and a symmetric activation's peak is at zero.
    keras.layers.PReLU: (0.0,),
    layers.SymmetricActivation: (0.0,),
}


def of_function(layer: keras.layers.Layer, function: Callable, known: Mapping[str, Any]) -> Any:
    """What is known of a layer's Keras activation function, by its name.

    Raises:
        InputError: nothing is.
    """
    name = getattr(function, "__name__", str(function))
    if name not in known:
        raise InputError.expected(
            f"layer '{layer.name}'", f"one of the activations {', '.join(known)}", name
        )
    return known[name]


def function_turns(layer: keras.layers.Layer, function: Callable) -> tuple[float, ...]:
    """The turning points of a layer's Keras activation function; raises InputError for others."""
    return of_function(layer, function, FUNCTIONS)


def layer_turns(layer: keras.layers.Layer) -> tuple[float, ...] | None:
    """The turning points of a layer that rises and falls entry by entry; None for any other.

    Between two of them, and beyond the last, each output rises with every input or falls with it.
    """
    if type(layer) is keras.layers.Activation:
        return function_turns(layer, layer.activation)
    return LAYERS.get(type(layer))

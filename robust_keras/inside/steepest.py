"""The largest slope of each activation, from above."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from robust_keras import layers
from robust_keras.layers.kernel_slope import kernel_slope

# Largest |f'|, rounded up.
FUNCTIONS = {
    "linear": 1.0,
    "relu": 1.0,
    "relu6": 1.0,
    "sigmoid": 0.25,
    "hard_sigmoid": 0.16666667,
    "tanh": 1.0,
    "hard_tanh": 1.0,
    "silu": 1.0998394,
    "hard_silu": 1.5,
    "gelu": 1.1289042,
    "mish": 1.0884990,
    "softplus": 1.0,
    "softsign": 1.0,
    "elu": 1.0,
    "selu": 1.7580994,
    "leaky_relu": 1.0,
    # The derivative diag(p) - p p^T has no eigenvalue and no row above 1/2.
    "softmax": 0.5,
}


def steepest(layer: keras.layers.Layer) -> float | None:
    """A number that no slope of an activation exceeds, over all channels and inputs.

    Args:
        layer: a built activation layer, or one with an `activation`.

    Returns:
        A float; infinite for k-winners-take-all, which jumps; None for a layer that is no
        activation, or of which nothing is known.
    """
    for kind, found in LAYERS.items():
        if type(layer) is kind:
            return found(layer)
    function = getattr(layer, "activation", None)
    return None if function is None else FUNCTIONS.get(getattr(function, "__name__", ""))


def _prelu(layer):
    return max(1.0, float(np.abs(np.asarray(layer.alpha)).max()))


def _relu(layer):
    # With a threshold it jumps there.
    if getattr(layer, "threshold", 0.0):
        return float("inf")
    return max(1.0, abs(float(np.max(layer.negative_slope))))


# SmoothReLU and the softplus of any sharpness rise by less than 1; exp(-x^2) by sqrt(2 / e).
LAYERS: dict[type, Callable[[Any], float | None]] = {
    keras.layers.ReLU: _relu,
    keras.layers.LeakyReLU: _relu,
    keras.layers.PReLU: _prelu,
    keras.layers.ELU: lambda layer: max(1.0, float(layer.alpha)),
    keras.layers.Softmax: lambda layer: 0.5,
    layers.KernelActivation: kernel_slope,
    layers.KWinnersTakeAll: lambda layer: float("inf"),
    layers.MaxMin: lambda layer: 1.0,
    layers.SmoothReLU: lambda layer: 1.0,
    layers.ParametricSoftplus: lambda layer: 1.0,
    layers.SymmetricActivation: lambda layer: 1.0 if layer.kind == "mrelu" else 0.8577639,
    layers.TemperatureSoftmax: lambda layer: 0.5 / float(layer.temperature),
}

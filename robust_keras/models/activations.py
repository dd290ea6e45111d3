"""The activations that a model can be built with, by name, and what each asks of its network."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import keras

from robust_keras.arguments import choice
from robust_keras.layers import (
    KernelActivation,
    KWinnersTakeAll,
    MaxMin,
    ParametricSoftplus,
    SmoothReLU,
    SymmetricActivation,
)
from robust_keras.settings import names


@dataclasses.dataclass(frozen=True)
class Activation:
    """How to make an activation layer, and where it may stand.

    Attributes:
        layer: takes the rank of the input and the layer's name; returns a new layer, or a function
            that applies several.
        normalised: batch normalisation always comes before it, in every network. A Gaussian KAF
            vanishes outside its dictionary, and a symmetric unit away from zero, so both need
            pre-activations of bounded size.
        symmetric: the network is a symmetric-activation network: these units follow the
            convolutions, hidden dense layers keep batch normalisation and ReLU, and the network
            ends in an RBF unit (Zhao and Griffin, 2016, arXiv 1603.05145).
        scale: of the pre-activations at the start, where batch normalisation comes before.
        shift: of the pre-activations at the start, likewise.
        momentum: of the moving statistics of that batch normalisation; 0.9 settles within the few
            hundred steps of a short run.
    """

    layer: Callable[[int, str], Callable]
    normalised: bool = False
    symmetric: bool = False
    scale: float = 1.0
    shift: float = 0.0
    momentum: float = 0.9


def _keras(function):
    return Activation(lambda rank, name: keras.layers.Activation(function, name=name))


def _kernel(initializer, **settings):
    return Activation(
        lambda rank, name: KernelActivation(initializer=initializer, name=name, **settings),
        normalised=True,
    )


def _symmetric(kind):
    # Scale and shift: starting on one slope, not astride the peak, which folds its sides together.
    # Momentum: symmetric units suffer from statistics that lag behind the weights. Measured with
    # LeNet-5 on MNIST after 4 epochs of Adam: 0.93 at 0.95, 0.97 at 0.9, 0.985 at 0.7 (rbf).
    return Activation(
        lambda rank, name: SymmetricActivation(kind, name=name),
        normalised=True,
        symmetric=True,
        scale=0.5,
        shift=0.5,
        momentum=0.7,
    )


def _prelu(rank, name):
    # One slope a channel, starting at 0.25 (He et al., 2015, arXiv 1502.01852).
    return keras.layers.PReLU(
        alpha_initializer=keras.initializers.Constant(0.25),
        shared_axes=list(range(1, rank - 1)) or None,
        name=name,
    )


def _maxout(rank, name):
    """The larger one of every two channels, of stock layers, which any program can read.

    Goodfellow et al., 2013, arXiv 1302.4389.
    """

    def larger(x):
        *place, channels = x.shape[1:]
        rows = keras.layers.Reshape((math.prod(place), channels, 1), name=f"{name}_pairs")(x)
        rows = keras.layers.MaxPooling2D((1, 2), name=f"{name}_maximum")(rows)
        return keras.layers.Reshape((*place, channels // 2), name=name)(rows)

    return larger


# What each kernel activation starts as.
_STARTS = {"kaf": "random_normal", "kaf_elu": "elu", "kaf_relu": "relu", "kaf_silu": "silu"}

ACTIVATIONS: dict[str, Activation] = names.table(
    names.ACTIVATIONS,
    {
        "relu": _keras("relu"),
        "elu": _keras("elu"),
        "silu": _keras("silu"),
        "gelu": _keras("gelu"),
        "softplus": _keras("softplus"),
        "parametric_softplus": Activation(lambda rank, name: ParametricSoftplus(name=name)),
        "prelu": Activation(_prelu),
        "smooth_relu": Activation(lambda rank, name: SmoothReLU(name=name)),
        "sigmoid": _keras("sigmoid"),
        "tanh": _keras("tanh"),
        "maxout": Activation(_maxout),
        "maxmin": Activation(lambda rank, name: MaxMin(name=name)),
        **{name: _kernel(start) for name, start in _STARTS.items()},
        "kwta": Activation(lambda rank, name: KWinnersTakeAll(name=name)),
        **{kind: _symmetric(kind) for kind in names.SYMMETRIC_ACTIVATIONS},
    },
)


def with_settings(activation: str, kernel_settings: Mapping[str, Any]) -> Activation:
    """The activation of a name, its kernel activations with settings of their own.

    Raises:
        ValueError: there are settings, and it is no kernel activation, or they fit no other.
    """
    if not kernel_settings:
        return ACTIVATIONS[activation]
    start = choice("activation", activation, _STARTS)
    return _kernel(_STARTS[start], **kernel_settings)


def confidence_rule(activation: str) -> str:
    """How a model's confidence follows from its logits.

    Args:
        activation: a key of `ACTIVATIONS`.

    Returns:
        `"rbf"`: exp(largest logit), the output of the final RBF unit; `"softmax"` otherwise.
    """
    return "rbf" if ACTIVATIONS[activation].symmetric else "softmax"

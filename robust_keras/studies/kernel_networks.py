"""The networks of the kernel-activation study that are compared, published ones and ours."""

from collections.abc import Callable

import numpy as np

from robust_keras.studies.seen import NotRunError, Seen
from robust_keras.studies.study import Value

# What a `Seen` tells of a run.
Ask = Callable[[Seen, str], np.ndarray]

EPSILON = "8/255"
_SIZES = ("_1000", "_100", "")
_FAST = ("--adversarial=fast", "--train_epsilon=8/255")
# Model -> (network, activation, flags).
OWN = {
    **{
        f"vgg_{a}": ("vgg", a, _FAST) for a in ("relu", "silu", "kaf", "kaf_elu", "elu", "kaf_silu")
    },
    **{f"resnet20_{a}": ("resnet20", a, _FAST) for a in ("relu", "silu", "kaf", "kaf_elu")},
    "plain_relu": ("cifar_quick", "relu", ()),
    "plain_kaf": ("cifar_quick", "kaf", ()),
    "plain_kwta": ("cifar_quick", "kwta", ()),
    "resnet56_kaf": ("resnet56", "kaf", ()),
    "resnet56_kaf_elu": ("resnet56", "kaf_elu", ()),
}
_WORDS = {"relu": "ReLU", "silu": "SiLU", "elu": "ELU", "kwta": "kWTA", "kaf": "KAF"}


def _word(activation):
    return " from ".join(_WORDS[part] for part in activation.split("_"))


OWN_LABELS = {
    model: f"{_word(activation)}, {'plain ' * (not flags)}{network} (ours)"
    for model, (network, activation, flags) in OWN.items()
}


def newest(model: str, ask: Ask) -> Value:
    """What the largest comparison that has run tells of a network.

    Args:
        model: name of a published network or of ours.
        ask: function of a `Seen` and the run's name.
    """

    def value(of):
        for size in _SIZES:
            try:
                return ask(of, f"{model}{size}")
            except NotRunError:
                continue
        raise NotRunError(model)

    return value


def paired(higher: str, lower: str, ask: Ask) -> Value:
    """The difference of two networks on the largest set of images that both have met."""

    def value(of):
        for size in _SIZES:
            try:
                return ask(of, f"{higher}{size}") - ask(of, f"{lower}{size}")
            except NotRunError:
                continue
        raise NotRunError(higher)

    return value

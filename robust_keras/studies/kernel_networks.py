"""The networks of the kernel-activation study that are compared, published ones and ours."""

from collections.abc import Callable

import numpy as np

from robust_keras.studies.published_networks import NAMES
from robust_keras.studies.seen import Seen
from robust_keras.studies.study import Value

# What a `Seen` tells of a run.
Ask = Callable[[Seen, str], np.ndarray]

EPSILON = "8/255"
_FAST = ("--adversarial=fast", "--train_epsilon=8/255")
# As there: how far the dictionary reaches, and the share of kWTA's winners.
_DICTIONARY = ("--kaf_boundary=3",)
_FREE = ("--kaf_trainable_dictionary", "--kaf_trainable_bandwidth")
# The thesis' learning rate of KAF, ten times as high as ours of all.
_RATE = ("--learning_rate=1",)
_WINNERS = ("--kwta_ratio=0.3", "--kwta_final_ratio=0.15")
_NAMES = {
    "relu": "ReLU",
    "silu": "SiLU",
    "elu": "ELU",
    "kwta": "kWTA",
    "kaf": "KAF",
    "kaf_free": "KAF with a free dictionary",
    "kaf_rate": "KAF at a learning rate of 1",
    "kaf_elu": "KAF from ELU",
    "kaf_relu": "KAF from ReLU",
    "kaf_silu": "KAF from SiLU",
}
# Of the published networks: what they are called as rebuilt, and those whose files answer otherwise
# in half precision than rebuilt in single precision.
LABELS = {name: _NAMES[activation] for name, activation in NAMES.items()}
OTHERWISE = ("kafelu", "kafrelu", "kafswish")
_NETWORKS = {"plain": "cifar_quick"}
# Those that claims are about, and the thesis' others.
PLAIN = ("plain_relu", "plain_kaf", "plain_kwta")
DEEP = ("resnet56_relu", "resnet56_kaf", "resnet56_kaf_elu")
ADVERSARIAL = (
    *("vgg_relu", "vgg_kaf", "vgg_silu", "vgg_kwta", "vgg_kaf_rate"),
    *("resnet20_relu", "resnet20_kaf"),
)
_OTHERS = (
    *("vgg_elu", "vgg_kaf_free", "vgg_kaf_elu", "vgg_kaf_silu"),
    *("resnet20_elu", "resnet20_silu", "resnet20_kwta", "resnet20_kaf_rate", "resnet20_kaf_free"),
    *("resnet20_kaf_elu", "resnet20_kaf_relu", "resnet20_kaf_silu"),
)


def _own(model):
    """The flags of one of our networks, and its label."""
    kind, _, activation = model.partition("_")
    network = _NETWORKS.get(kind, kind)
    form = activation.removesuffix("_free").removesuffix("_rate")
    flags = (
        *(f"--model={network}", f"--activation={form}"),
        *(_DICTIONARY if form.startswith("kaf") else ()),
        *(_FREE if activation.endswith("_free") else ()),
        *(_RATE if activation.endswith("_rate") else ()),
        *(_WINNERS if activation == "kwta" else ()),
        # Networks of kernel activations have it anyway.
        *(("--batch_normalization",) if kind in ("plain", "vgg") else ()),
        *(_FAST if kind in ("vgg", "resnet20") else ()),
    )
    plain = "" if _FAST[0] in flags else "not adversarially trained "
    return flags, f"{_NAMES[activation]}, {plain}{network} (ours)"


OWN = {model: _own(model)[0] for model in (*PLAIN, *DEEP, *ADVERSARIAL, *_OTHERS)}
OWN_LABELS = {model: _own(model)[1] for model in OWN}


def paired(higher: str, lower: str, ask: Ask) -> Value:
    """The difference of two networks on the images that both have met, the first ones of each."""

    def value(of):
        one, other = ask(of, higher), ask(of, lower)
        images = min(len(one), len(other))
        return one[:images] - other[:images]

    return value

"""What Peconi (2020) claims of networks that are trained anew here, and what decides about it."""

import numpy as np

from robust_keras.studies.kernel_measures import (
    ATTACKED,
    CLEAN,
    SEEN,
    TOO_WIDE,
    against,
    pgd,
    robust,
    sentences,
    tells,
    worst,
)
from robust_keras.studies.kernel_networks import OWN_LABELS
from robust_keras.studies.known import NotRunError
from robust_keras.studies.study import Claim, Measure, alone

# What rows begin with that were written when KAF trained at the learning rate of all had been seen.
_AFTER = "Asked here, when KAF had been seen"
# What is compared with ReLU in the small network.
_LABELS = {"kaf": "KAF", "kwta": "kWTA"}


def _ours(name, higher, lower, says, number=None):
    return Claim(
        name,
        f"{says} keeps more than ReLU",
        number or against(higher, lower),
        robust(higher, lower),
        **sentences(OWN_LABELS[higher], OWN_LABELS[lower]),
    )


def _without(activation):
    name, label = f"plain_{activation}", _LABELS[activation]
    return Claim(
        name,
        f"Without adversarial training a small network with {label} keeps something under PGD",
        f"{ATTACKED[name]} %, another small network",
        tuple(
            Measure(f"{budget} at 8/255; more than 5 %", _plain(name, ask), above=0.05)
            for budget, ask in (("PGD-50", pgd), ("`quick` and audit", worst))
        ),
        holds="A strong attack leaves more than one image in twenty.",
        fails="A strong attack leaves next to nothing.",
        open=TOO_WIDE,
    )


def _against_relu(activation):
    name, label = f"plain_{activation}", _LABELS[activation]
    return Claim(
        f"{name}_relu",
        f"{SEEN}: without adversarial training {label} keeps more than ReLU",
        f"{against(name, 'plain_relu')}, another small network",
        robust(name, "plain_relu"),
        **sentences(label, "ReLU"),
    )


def _plain(name, ask):
    return lambda of: ask(of, name)


def _costs(activation):
    name, label = f"plain_{activation}", _LABELS[activation]
    return Claim(
        f"clean_{name}",
        f"Without adversarial training {label} costs clean accuracy",
        f"{against('plain_relu', name, CLEAN)} (ReLU against {label})",
        alone(
            "clean, 10,000 images; ReLU more",
            lambda of: of.trained("plain_relu") - of.trained(name),
        ),
        holds=f"ReLU reads more than {label}.",
        fails=f"ReLU reads no more than {label}.",
        open=TOO_WIDE,
    )


def _moved_alone(run):
    return lambda of: _moved(of, run)


def _moved_more(one, other):
    return lambda of: _moved(of, one) - _moved(of, other)


OWN = (
    _ours("vgg_kaf", "vgg_kaf", "vgg_relu", "VGG, trained anew: KAF"),
    _ours("vgg_silu", "vgg_silu", "vgg_relu", "VGG, trained anew: SiLU"),
    _ours("vgg_rate", "vgg_kaf_rate", "vgg_relu", f"{_AFTER}: VGG, KAF at the thesis' rate"),
    Claim(
        "clean_vgg_rate",
        f"{_AFTER}: VGG with KAF reads more at the thesis' learning rate than at that of all",
        "1 against 0.08 for ReLU",
        alone(
            "clean, 10,000 images; more",
            lambda of: of.trained("vgg_kaf_rate") - of.trained("vgg_kaf"),
        ),
        holds="So the learning rate of all is too low for KAF, and tells little of it.",
        fails="So the learning rate is not what keeps KAF from learning.",
        open=TOO_WIDE,
    ),
    _ours("resnet20_kaf", "resnet20_kaf", "resnet20_relu", "ResNet-20, trained anew: KAF"),
    _ours(
        *("vgg_kwta", "vgg_kwta", "vgg_relu", "VGG, adversarially trained: kWTA"),
        number="50.7 % against 43.6 % (ResNet-18, the least of several attacks, quoted there from "
        "Xiao et al.)",
    ),
    tells("pgd_tells_kwta", "vgg_kwta", "Asked here: ", "not told"),
    *map(_without, ("kwta", "kaf")),
    *map(_against_relu, ("kaf", "kwta")),
    *map(_costs, ("kaf", "kwta")),
    Claim(
        "resnet56",
        "KafResNet-56 started at random does not train",
        "not a number after the first step, in half precision",
        alone(
            "minus the clean accuracy; below 20 %",
            lambda of: -of.trained("resnet56_kaf"),
            above=-0.2,
        ),
        holds="In single precision it learns next to nothing in three epochs.",
        fails="In single precision it learns something.",
        open="It hardly learns.",
    ),
    Claim(
        "first_step",
        "Asked here: its first gradient, started as published, is beyond half precision",
        "not told",
        alone(
            "decimal logarithm of the gradient's norm; above that of 65,504",
            lambda of: of.made("first_step")["random"],
            above=4.816,
            unit="",
        ),
        holds="That would explain what is not a number there.",
        fails="That does not explain what is not a number there.",
    ),
    Claim(
        "resnet56_elu",
        "Asked here: started as ELU by ridge regression it trains as ResNet-56 with ReLU does",
        "not measured there",
        (
            Measure(
                "clean accuracy with ReLU; above 20 %",
                lambda of: of.trained("resnet56_relu"),
                above=0.2,
            ),
            Measure(
                "clean accuracy, less that with ReLU; no five points less",
                lambda of: of.trained("resnet56_kaf_elu") - of.trained("resnet56_relu"),
                above=-0.05,
            ),
        ),
        holds="After three epochs it reads no five points less than with ReLU.",
        fails="It trains worse than the network with ReLU.",
        open="Three epochs of so few images do not tell.",
    ),
    *(
        Claim(
            f"activations_{other}",
            "Without adversarial training an attack moves the distribution of KAF's activations "
            f"less than that of {label}'s",
            "figures, no numbers",
            (
                Measure(
                    "Kolmogorov-Smirnov distance (0 to 1) of clean and attacked activations, "
                    f"images that were fooled, mean over the layers: {label} alone",
                    _moved_alone(f"plain_{other}"),
                    unit="",
                ),
                Measure(
                    f"the same, {label} less KAF",
                    _moved_more(f"plain_{other}", "plain_kaf"),
                    unit="",
                ),
            ),
            holds=f"KAF's move less than {label}'s.",
            fails=f"KAF's move no less than {label}'s.",
            open="Three seeds do not tell.",
        )
        for other, label in (("relu", "ReLU"), ("kwta", "kWTA"))
    ),
)


def _moved(of, run):
    """Mean over the layers of how far an attack moves their activations."""
    layers = of.model(run).get("activations")
    if not layers:
        raise NotRunError(run)
    return float(np.mean([layer["distance"] for layer in layers]))

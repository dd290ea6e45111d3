"""What the claims about kernel activations have in common: the thesis' numbers and ours."""

from typing import Any

import numpy as np

from robust_keras.studies.kernel_networks import LABELS, OWN_LABELS, paired
from robust_keras.studies.seen import Seen
from robust_keras.studies.study import Claim, Measure, Value, alone

_EIGHT = 8 / 255
# The thesis' accuracies in percent, under PGD-50: of its networks, and of its trainings of ours.
ATTACKED = {
    **{"relu": 50.2, "kaf": 52.2, "swish": 53.9, "elu": 51.7},
    **{"kafelu": 52.8, "kafrelu": 51.4, "kafswish": 52.1},
    **{"vgg_relu": 45.4, "vgg_kaf": 46.8, "vgg_silu": 47.7},
    "vgg_kaf_rate": 46.8,
    **{"resnet20_relu": 50.2, "resnet20_kaf": 52.2},
    **{"plain_relu": 11.0, "plain_kwta": 13.2, "plain_kaf": 15.7},
}
# The same without attack.
CLEAN = {
    **{"relu": 77.5, "kaf": 78.1, "swish": 78.7, "elu": 75.4},
    **{"kafelu": 78.7, "kafrelu": 79.7, "kafswish": 79.2},
    **{"plain_relu": 78.0, "plain_kwta": 65.3, "plain_kaf": 68.8},
}
# What rows begin with that were written when their number could be seen.
SEEN = "Asked here, when the number could be seen"
# Why most of what stays open does.
TOO_WIDE = "The interval is too wide to tell."


def pgd(of: Seen, run: str) -> np.ndarray:
    """1 where an image holds out against the published attack.

    What the audit doubts here are networks that have not learned: of them that tells nothing.
    """
    of.doubt(run)
    return of.robust(run, "pgd50", _EIGHT)


def worst(of: Seen, run: str) -> np.ndarray:
    """1 where an image holds out against every attack and what the audit tried."""
    return of.worst(run, _EIGHT)


def robust(higher: str, lower: str) -> tuple[Measure, ...]:
    """What one network keeps more than another: under PGD-50, and under everything."""
    return (
        Measure("PGD-50 at 8/255; more", paired(higher, lower, pgd)),
        Measure("`quick` and audit at 8/255; more", paired(higher, lower, worst)),
    )


def sentences(one: str, other: str) -> dict[str, Any]:
    """Why one of two networks keeps more than the other, as a `Claim` has them."""
    return {
        "holds": f"{one} keeps more than {other}.",
        "fails": f"{one} keeps no more than {other}.",
        "open": TOO_WIDE,
    }


def theirs(name: str) -> float:
    """The share that a network keeps under PGD-50, by the thesis."""
    return ATTACKED[name] / 100


def against_relu(name: str, *, strong: bool) -> Value:
    """What a published network keeps more than the one with ReLU, image by image.

    Args:
        name: of a published network.
        strong: whether everything counts that any attack and the audit found, or PGD-50 alone.
    """
    return paired(name, "relu", worst if strong else pgd)


def against(higher: str, lower: str, of: dict[str, float] = ATTACKED) -> str:
    """The thesis' two numbers in words."""
    return f"{of[higher]} % against {of[lower]} %"


def tells(name: str, run: str, asked: str, number: str) -> Claim:
    """The claim that PGD-50 is strong enough for a network.

    Args:
        name: of the claim.
        run: of the network.
        asked: what the row begins with.
        number: the thesis'.
    """
    label = LABELS.get(run) or OWN_LABELS[run]
    return Claim(
        name,
        f"{asked}PGD-50 from one start tells how robust the network is: {label}",
        number,
        alone(
            "what `quick` and the audit leave below PGD-50; within two points",
            lambda of: worst(of, run) - pgd(of, run),
            above=-0.02,
        ),
        holds="A stronger attack finds less than two points more.",
        fails="A stronger attack finds more than two points that PGD-50 missed.",
        open="Whether a stronger attack finds two points more, so few images do not tell.",
        seeds=1 if run in LABELS else 3,
    )

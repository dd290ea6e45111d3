"""What McKay's survey (2018) reports, and what decides about it.

Where a number of a paper could not be checked here, none is given.
"""

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.accuracies import less
from robust_keras.studies.study import Claim, alone
from robust_keras.studies.transfer_claims import ASKED, TRANSFER_CLAIMS, UNKNOWN

_EVOLVED = "99.99 % (the paper's abstract)"


def _sure(model, kind):
    return lambda of: of.fooling(model, kind, "confidence") >= 0.99


def _answers(name, *keys):
    """What a `Make` kept, as an array."""

    def value(of):
        found = of.made(name)
        for key in keys:
            found = found[key]
        return answers.array(found)

    return value


def _carried(to, says):
    """That what fools a network fools another kind of model more often than noise does."""
    return Claim(
        f"carried_{to}",
        says,
        UNKNOWN,
        alone(
            "FGSM at 0.3: errors beyond those by random signs of 0.3; ten points",
            less(_answers("carried", to, "noise"), _answers("carried", to, "examples")),
            0.1,
        ),
        holds="They fool it more often than noise of the same size, by ten points and more.",
        fails="They do less than ten points more than noise of the same size.",
        open="They do about ten points more than noise.",
    )


def _grid(of):
    found = of.model("grid")["targets"]
    moved = [n for a, row in enumerate(found["moved"]) for b, n in enumerate(row) if a != b]
    tried = [n for n in found["attacked"] for _ in range(len(found["attacked"]) - 1)]
    return np.repeat((1.0, 0.0), (sum(moved), sum(tried) - sum(moved)))


def _fooling(kind, says, number):
    return Claim(
        kind,
        says,
        number,
        alone("plain, share of the ten classes at 99 % and above; most", _sure("plain", kind), 0.5),
        holds="For most classes there is an image of which it is that sure.",
        fails="For half of the classes and more there is none.",
        open="Whether for half of the classes, the interval does not tell.",
    )


CLAIMS = (
    _fooling(
        "fooling_gradient",
        "Gradient ascent makes images of nothing of which a network is 99 % sure",
        "99 % and more",
    ),
    _fooling("fooling_direct", "So does evolution of pixels", _EVOLVED),
    _fooling("fooling_cppn", "So does evolution of painting networks (CPPN)", _EVOLVED),
    Claim(
        "fooling_after",
        "Asked here: adversarial training puts an end to fooling images",
        ASKED,
        alone(
            "gradient ascent on the adversarially trained network, share of classes below 99 %; "
            "most",
            lambda of: 1.0 - _sure("robust", "fooling_gradient")(of),
            0.5,
        ),
        holds="After it, most classes are not reached.",
        fails="After it, most classes are reached as before.",
        open="Whether half of the classes are still reached, the interval does not tell.",
    ),
    _carried("linear", "Examples carry over to a linear classifier"),
    _carried("forest", "And to an ensemble of trees"),
    Claim(
        "features",
        "A network's features with a linear classifier read another data set better than "
        "features made by hand",
        "74.7 %, 86.8 % with augmented images, against 80.7 % (flowers)",
        alone(
            "scikit-learn's digits: accuracy beyond that from the pixels, in place of features "
            "made by hand",
            less(_answers("features", "features"), _answers("features", "pixels")),
        ),
        holds="They do better than the pixels; features made by hand are not measured.",
        fails="The pixels do as well; features made by hand are not measured.",
        open="The difference from the pixels is too small to tell; features made by hand are not "
        "measured.",
    ),
    Claim(
        "jsma",
        "JSMA makes any digit of any by changing few pixels",
        UNKNOWN,
        alone(
            "pairs of an image and another class, counted as images; at most 14.5 % of the pixels; "
            "90 % reached",
            _grid,
            0.9,
        ),
        holds="More than nine of ten pairs are reached.",
        fails="Less than nine of ten pairs are reached.",
        open="Whether nine of ten pairs are reached, the interval does not tell.",
    ),
    Claim(
        "weights",
        "Adversarial training changes first-layer weights; asked here: makes them more local",
        "a figure of maxout networks",
        alone(
            "five dense layers: mean kurtosis of a unit's weights, beyond the plain twin's",
            lambda of: of.made("weights")["robust"] - of.made("weights")["plain"],
            unit="",
        ),
        holds="Few pixels have more of a unit's weight than in the plain twin.",
        fails="They are no more local than the plain twin's; below 0 they are less so.",
    ),
    *TRANSFER_CLAIMS,
)

"""What McKay's survey (2018) reports, and what decides about it.

Where a number of a paper could not be checked here, none is given.
"""

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.accuracies import less
from robust_keras.studies.black_box_claims import BLACK_BOX_CLAIMS
from robust_keras.studies.study import Claim, Measure, Value, alone
from robust_keras.studies.transfer_claims import ASKED, TRANSFER_CLAIMS, UNKNOWN

_EVOLVED = "99.99 % (the paper's abstract)"


def _sure(model, kind):
    return lambda of: (of.fooling(model, kind, "confidence") >= 0.99).astype(float)


def kept_answers(name: str, *keys: str) -> Value:
    """Gives what a `Make` kept, at these keys of its result, as an array."""

    def value(of):
        found = of.made(name)
        for key in keys:
            found = found[key]
        return answers.array(found)

    return value


def _reached(of):
    """Share of the classes that JSMA makes of each image."""
    return np.array([answers.array(one).mean() for one in of.made("grid")])


def _carried(to, says):
    """That what fools a network fools another kind of model more often than noise does."""
    return Claim(
        f"carried_{to}",
        says,
        UNKNOWN,
        alone(
            "FGSM at 0.3: errors beyond those by random signs of 0.3; ten points",
            less(kept_answers("carried", to, "noise"), kept_answers("carried", to, "examples")),
            0.1,
        ),
        holds="They fool it more often than noise of the same size, by ten points and more.",
        fails="They do less than ten points more than noise of the same size.",
        open="Whether they fool it ten points more often than noise of the same size, the interval "
        "does not tell.",
    )


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


def _fooling_after(kind, name, says):
    """That adversarial training closes most classes that are open to its plain twin."""
    return Claim(
        name,
        says,
        ASKED,
        (
            Measure(
                "the adversarially trained network, share of classes below 99 %; most",
                lambda of: 1.0 - _sure("robust", kind)(of),
                0.5,
            ),
            Measure(
                "classes at 99 % and above of its plain twin beyond its own; most",
                less(_sure("robust:1", kind), _sure("robust", kind)),
                0.5,
            ),
        ),
        holds="After it, most classes are not reached that the plain twin's images reach.",
        fails="For half of the classes or more there still is one.",
        open="Whether it prevents them for half of the classes, the interval does not tell.",
    )


CLAIMS = (
    _fooling(
        "fooling_gradient",
        "Gradient ascent from noise makes images of which a network is 99 % sure",
        "99 % and more",
    ),
    _fooling(
        "fooling_direct",
        "Evolution of pixels makes images of which a network is 99 % sure",
        _EVOLVED,
    ),
    _fooling(
        "fooling_cppn",
        "Evolution of painting networks (CPPN) makes images of which a network is 99 % sure",
        _EVOLVED,
    ),
    _fooling_after(
        "fooling_gradient",
        "fooling_after",
        "Asked here: adversarial training prevents such images for most classes, by gradient "
        "ascent",
    ),
    _fooling_after(
        "fooling_direct",
        "fooling_after_direct",
        "Asked here: adversarial training prevents such images for most classes, by evolution of "
        "pixels",
    ),
    _fooling_after(
        "fooling_cppn",
        "fooling_after_cppn",
        "Asked here: adversarial training prevents such images for most classes, by evolution of "
        "painting networks",
    ),
    Claim(
        "fgsm",
        "One step along the gradient's signs (FGSM) makes a network misread images",
        "one picture of a panda, at 0.007",
        alone(
            "plain, FGSM at 0.3; most misread",
            lambda of: 1.0 - of.robust("plain", "fgsm", 0.3),
            0.5,
        ),
        holds="Most digits are misread after it.",
        fails="Less than half of the digits are misread after it.",
        open="Whether half of the digits are misread, the interval does not tell.",
    ),
    _carried("linear", "Examples carry over to a linear classifier, by ten points more than noise"),
    _carried(
        "forest", "Examples carry over to an ensemble of trees, by ten points more than noise"
    ),
    Claim(
        "features",
        "A network's features with a linear classifier read another data set better than "
        "features made by hand",
        "74.7 %, 86.8 % with augmented images; by hand 76.7 %, 80.7 % with segmentation",
        (
            Measure(
                "the pixels; accuracy from the network's features beyond that from these",
                less(kept_answers("features", "features"), kept_answers("features", "pixels")),
            ),
            Measure(
                "histograms of oriented gradients; the same",
                less(kept_answers("features", "features"), kept_answers("features", "gradients")),
            ),
        ),
        holds="They do better than features made by hand.",
        fails="Features made by hand do as well or better, as they do in the source without "
        "augmented images.",
        open="The difference from features made by hand is too small to tell.",
    ),
    Claim(
        "jsma",
        "JSMA makes any digit of any by changing at most 14.5 % of the pixels",
        UNKNOWN,
        alone(
            "share of the nine other classes that is reached, mean over images; 90 %",
            _reached,
            0.9,
        ),
        holds="More than nine of ten classes are reached.",
        fails="Less than nine of ten classes are reached.",
        open="Whether nine of ten classes are reached, so few images do not tell.",
    ),
    Claim(
        "weights_change",
        "Adversarial training changes first-layer weights",
        "a figure of maxout networks",
        alone(
            "five dense layers, kurtosis of each unit's weights; Kolmogorov-Smirnov distance from "
            "the plain twin beyond that between two plain trainings",
            lambda of: of.made("weights")["changed"] - of.made("weights")["chance"],
            unit="",
        ),
        holds="They differ from the plain twin's more than those of two plain trainings do.",
        fails="They differ from the plain twin's no more than those of two plain trainings do.",
    ),
    Claim(
        "weights",
        "Asked here: adversarial training gathers a unit's weights on fewer pixels",
        ASKED,
        alone(
            "five dense layers: mean kurtosis of a unit's weights, beyond the plain twin's",
            lambda of: of.made("weights")["robust"] - of.made("weights")["plain"],
            unit="",
        ),
        holds="A unit's weights lie on fewer pixels than in the plain twin.",
        fails="A unit's weights lie on no fewer pixels than in the plain twin.",
    ),
    *TRANSFER_CLAIMS,
    *BLACK_BOX_CLAIMS,
)

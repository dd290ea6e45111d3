"""What McKay's survey (2018) reports, and what decides about it.

Where a number of a paper could not be checked here, none is given.
"""

import numpy as np

from robust_keras.studies import answers
from robust_keras.studies.study import Claim, Measure

MODELS = ("plain", "elu", "fc5", "adversarial", "ensemble", "penalty")
_UNKNOWN = "not at hand"


def transferred(source, target, epsilon=0.3):
    """Accuracy of one network on Step-LL's examples that were made on another."""
    return lambda of: of.transferred(
        "transfer", MODELS.index(source), MODELS.index(target), epsilon
    )


def _less(higher, lower):
    return lambda of: higher(of) - lower(of)


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


def _on_substitute(of, target):
    """Accuracy of a model (0 plain, 1 penalty) on FGSM's examples of its own substitute."""
    return of.transferred("substitute", 2 + target, target, 0.3)


def _grid(of):
    found = of.model("grid")["targets"]
    moved = [n for a, row in enumerate(found["moved"]) for b, n in enumerate(row) if a != b]
    tried = [n for n in found["attacked"] for _ in range(len(found["attacked"]) - 1)]
    return np.repeat((1.0, 0.0), (sum(moved), sum(tried) - sum(moved)))


def _fooling(name, kind, says, number):
    return Claim(
        name,
        says,
        number,
        (Measure("share of the ten classes at 99 % and above; most", _sure("plain", kind), 0.5),),
        {
            "holds": "It is that sure of an image of nothing for most classes.",
            "fails": "It is that sure for few classes.",
            "open": "It is that sure for about half of the classes.",
        },
    )


CLAIMS = (
    _fooling(
        "fooling_gradient",
        "fooling_gradient",
        "Gradient ascent makes images of nothing of which a network is 99 % sure",
        "99 % and more",
    ),
    _fooling(
        "fooling_direct",
        "fooling_direct",
        "So does evolution of pixels",
        "99.99 % on MNIST",
    ),
    _fooling(
        "fooling_cppn",
        "fooling_cppn",
        "So does evolution of painting networks",
        "99.99 % on MNIST",
    ),
    Claim(
        "fooling_after",
        "Asked here: adversarial training ends it",
        _UNKNOWN,
        (
            Measure(
                "gradient ascent, share of classes below 99 %; most",
                lambda of: 1.0 - _sure("robust", "fooling_gradient")(of),
                0.5,
            ),
        ),
        {
            "holds": "After it, most classes are not reached.",
            "fails": "After it, most classes are reached as before.",
            "open": "After it, about half of the classes are reached.",
        },
    ),
    Claim(
        "carried_linear",
        "Examples carry over to a linear classifier",
        _UNKNOWN,
        (
            Measure(
                "FGSM at 0.3, errors more than by noise of 0.3",
                _less(
                    _answers("carried", "linear", "noise"),
                    _answers("carried", "linear", "examples"),
                ),
                0.1,
            ),
        ),
        {
            "holds": "They fool it far more often than noise of the same size.",
            "fails": "Noise of the same size does about as much.",
            "open": "They do about ten points more than noise.",
        },
    ),
    Claim(
        "carried_forest",
        "And to an ensemble of trees",
        _UNKNOWN,
        (
            Measure(
                "FGSM at 0.3, errors more than by noise of 0.3",
                _less(
                    _answers("carried", "forest", "noise"),
                    _answers("carried", "forest", "examples"),
                ),
                0.1,
            ),
        ),
        {
            "holds": "They fool it far more often than noise of the same size.",
            "fails": "Noise of the same size does about as much.",
            "open": "They do about ten points more than noise.",
        },
    ),
    Claim(
        "features",
        "A network's features with a linear classifier read another data set better than "
        "features made by hand",
        "86.8 % against 80.7 % (flowers)",
        (
            Measure(
                "scikit-learn's digits, against their own pixels",
                _less(_answers("features", "features"), _answers("features", "pixels")),
            ),
        ),
        {
            "holds": "They do better than the pixels themselves.",
            "fails": "The pixels themselves do as well: these digits are no hard data set.",
            "open": "They do about as well as the pixels themselves.",
        },
    ),
    Claim(
        "own_is_strongest",
        "A network's own gradient does more than another network's",
        "error of v4: 60.2 % by its own, 39.2 % by v3's (ImageNet, 16/256)",
        (
            Measure(
                "Step-LL at 16/256",
                _less(transferred("elu", "plain", 0.0625), transferred("plain", "plain", 0.0625)),
            ),
            Measure(
                "Step-LL at 0.3",
                _less(transferred("elu", "plain"), transferred("plain", "plain")),
            ),
        ),
        {
            "holds": "Its own examples fool the plain network more often than ELU's.",
            "fails": "ELU's examples fool the plain network as often as its own: one step towards "
            "the least likely class is no strong attack.",
            "open": "The difference is too small to tell.",
        },
    ),
    Claim(
        "robust_source",
        "Examples made on an adversarially trained network carry over less",
        "error of v4: 39.2 % by v3's, 31.1 % by v3 adversarially trained",
        (
            Measure(
                "Step-LL at 0.3",
                _less(transferred("adversarial", "plain"), transferred("elu", "plain")),
            ),
        ),
        {
            "holds": "They fool the plain network less often than ELU's.",
            "fails": "They fool the plain network at least as often as ELU's.",
            "open": "The difference is too small to tell.",
        },
    ),
    Claim(
        "ensemble",
        "Ensemble training lowers what carries over",
        _UNKNOWN,
        (
            Measure(
                "Step-LL at 0.3 made on the plain network, which it was not trained on",
                _less(transferred("plain", "ensemble"), transferred("plain", "elu")),
            ),
        ),
        {
            "holds": "Examples of a network that it never met fool it far less.",
            "fails": "Examples of a network that it never met fool it as often.",
            "open": "The difference is too small to tell.",
        },
    ),
    Claim(
        "ensemble_whitebox",
        "Asked here: ensemble training withstands an attacker who has the network",
        _UNKNOWN,
        (
            Measure(
                "its own Step-LL at 0.3; half of the digits left",
                lambda of: of.robust(f"transfer:{MODELS.index('ensemble')}", "step_ll", 0.3),
                0.5,
            ),
            Measure(
                "`quick` and audit at 0.3; half of the digits left",
                lambda of: of.worst(f"transfer:{MODELS.index('ensemble')}", 0.3),
                0.5,
            ),
        ),
        {
            "holds": "More than half of the digits hold out.",
            "fails": "Less than half of the digits hold out.",
            "open": "About half of the digits hold out.",
        },
    ),
    Claim(
        "ceiling",
        "Adversarial training costs clean accuracy",
        _UNKNOWN,
        (
            Measure(
                "clean",
                lambda of: (
                    of.clean("transfer:0") - of.clean(f"transfer:{MODELS.index('adversarial')}")
                ),
            ),
        ),
        {
            "holds": "It is less accurate on clean digits.",
            "fails": "It is not less accurate on clean digits.",
            "open": "On digits the difference is too small to tell.",
        },
    ),
    Claim(
        "penalty",
        "A network hardened against its own gradient still falls to examples from outside",
        _UNKNOWN,
        (
            Measure(
                "Step-LL at 0.3: errors by the plain network's examples beyond those by its own",
                _less(transferred("penalty", "penalty"), transferred("plain", "penalty")),
            ),
        ),
        {
            "holds": "Another network's examples do more than its own.",
            "fails": "Its own examples do at least as much: this penalty hides no gradient.",
            "open": "The difference is too small to tell.",
        },
    ),
    Claim(
        "substitute",
        "A substitute trained on a model's answers alone is enough to fool it",
        "84.24 % of MNIST misclassified, 6,400 questions",
        (
            Measure(
                "FGSM at 0.3 on the substitute, 4,800 questions; most misclassified",
                lambda of: 1.0 - _on_substitute(of, 0),
                0.5,
            ),
        ),
        {
            "holds": "It misclassifies most of them.",
            "fails": "It misclassifies less than half of them.",
            "open": "It misclassifies about half of them.",
        },
    ),
    Claim(
        "substitute_penalty",
        "Also where the model was hardened",
        _UNKNOWN,
        (
            Measure(
                "gradient penalty; the same",
                lambda of: 1.0 - _on_substitute(of, 1),
                0.5,
            ),
        ),
        {
            "holds": "It misclassifies most of them.",
            "fails": "It misclassifies less than half of them.",
            "open": "It misclassifies about half of them.",
        },
    ),
    Claim(
        "jsma",
        "JSMA makes any digit of any by changing few pixels",
        _UNKNOWN,
        (Measure("of all pairs, at most 14.5 % of the pixels; 90 %", _grid, 0.9),),
        {
            "holds": "More than nine of ten pairs are reached.",
            "fails": "Less than nine of ten pairs are reached.",
            "open": "About nine of ten pairs are reached.",
        },
    ),
    Claim(
        "weights",
        "Adversarial training makes first-layer weights more local",
        "a figure of maxout networks",
        (
            Measure(
                "mean kurtosis of a unit's weights, beyond the plain twin's",
                lambda of: np.array([of.made("weights")["robust"] - of.made("weights")["plain"]]),
                unit="",
            ),
        ),
        {
            "holds": "Few pixels have more of a unit's weight than in the plain twin.",
            "fails": "A unit's weight is no more local than in the plain twin.",
            "open": "The difference is too small to tell.",
        },
    ),
    Claim(
        "denoiser",
        "A denoiser guided by the network's logits stops attacks that do not know of it",
        _UNKNOWN,
        (
            Measure(
                "PGD at 0.3 made on the network behind it; ten points more",
                lambda of: (
                    of.transferred("denoised", 0, 1, 0.3) - of.transferred("denoised", 0, 0, 0.3)
                ),
                0.1,
            ),
        ),
        {
            "holds": "With it, far more of these examples are read correctly.",
            "fails": "With it, hardly more of these examples are read correctly.",
            "open": "The gain is about ten points.",
        },
    ),
    Claim(
        "denoiser_whitebox",
        "And falls to attacks that go through it",
        "100 % of targets reached at 4/255 (Athalye and Carlini, 2018)",
        (
            Measure(
                "`quick` and audit at 0.3; at most a tenth left",
                lambda of: -of.worst("denoised:1", 0.3),
                -0.1,
            ),
        ),
        {
            "holds": "Less than a tenth of the digits hold out.",
            "fails": "More than a tenth of the digits hold out.",
            "open": "About a tenth of the digits holds out.",
        },
    ),
)

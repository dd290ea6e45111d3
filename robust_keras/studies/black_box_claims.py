"""What McKay's survey (2018) reports of attackers who do not have the model itself.

Where a number of a paper could not be checked here, none is given.
"""

from robust_keras.studies.accuracies import less
from robust_keras.studies.study import Claim, Measure, Value, alone
from robust_keras.studies.transfer_claims import UNKNOWN, UNNAMED
from robust_keras.studies.transferred import pgd, step_ll

# The models of the evaluation `substitute`, in its order.
_ASKED_ANSWERS = ("plain", "penalty", "adversarial")
_MOST_MISREAD = {
    "holds": "Most of them are misclassified.",
    "fails": "Less than half of them are misclassified.",
    "open": "Whether half of them are misclassified, the interval does not tell.",
}


def on_substitute(model: str) -> Value:
    """Accuracy of a model on FGSM's examples at 0.3 made on its own substitute."""
    place = _ASKED_ANSWERS.index(model)
    source = len(_ASKED_ANSWERS) + place
    return lambda of: of.transferred("substitute", source, place, 0.3)


def through_denoiser(model: int) -> Value:
    """Accuracy on PGD's examples at 0.3 made on plain: of plain (0), of plain denoised (1)."""
    return lambda of: of.transferred("denoised", 0, model, 0.3)


def _substitute(model, name, says, number, budget):
    return Claim(
        name,
        says,
        number,
        alone(budget, lambda of: 1.0 - on_substitute(model)(of), 0.5),
        **_MOST_MISREAD,
    )


def _outside(model, name, says, number, holds):
    return Claim(
        name,
        says,
        number,
        (
            Measure(
                "Step-LL at 0.3 made on plain; most misclassified",
                lambda of: 1.0 - step_ll("plain", model)(of),
                0.5,
            ),
            Measure(
                "PGD at 0.3 made on plain; most misclassified",
                lambda of: 1.0 - pgd("plain", model)(of),
                0.5,
            ),
        ),
        **{**_MOST_MISREAD, "holds": holds},
    )


BLACK_BOX_CLAIMS = (
    _outside(
        "penalty",
        "penalty_outside",
        "An attack from outside works on a network trained with a gradient penalty",
        "black-box attacks work also on models hardened against white-box ones",
        "Most of them are misclassified. Its own attacks leave few digits, too: see the first "
        "table.",
    ),
    _outside(
        "adversarial",
        "adversarial_outside",
        "Also on one that was trained adversarially",
        "the same",
        _MOST_MISREAD["holds"],
    ),
    _substitute(
        "plain",
        "substitute",
        "A substitute trained on a model's answers alone is enough to fool it",
        "84.24 % misclassified by a hosted model of MNIST, 6,400 questions",
        "FGSM at 0.3 on the substitute, 4,800 questions; most misclassified",
    ),
    _substitute(
        "penalty",
        "substitute_penalty",
        "Also where the model was trained with a gradient penalty",
        UNNAMED,
        "the same",
    ),
    _substitute(
        "adversarial",
        "substitute_adversarial",
        "Also where it was trained adversarially",
        UNNAMED,
        "the same",
    ),
    Claim(
        "denoiser",
        "A denoiser guided by the network's logits helps against attacks that do not know of it",
        UNKNOWN,
        alone(
            "PGD at 0.3 made on the network behind it; ten points more",
            less(through_denoiser(1), through_denoiser(0)),
            0.1,
        ),
        holds="With it at least ten points more of these examples are read correctly.",
        fails="With it less than ten points more of these examples are read correctly.",
        open="Whether it gains ten points, the interval does not tell.",
    ),
    Claim(
        "denoiser_whitebox",
        "And falls to attacks that go through it (a later paper)",
        "100 % of targets reached at 4/255 (Athalye and Carlini, 2018)",
        alone(
            "`quick` and audit at 0.3; at most a tenth left",
            lambda of: -of.worst("denoised:1", 0.3),
            -0.1,
        ),
        holds="Less than a tenth of the digits are still read correctly.",
        fails="More than a tenth of the digits are still read correctly.",
        open="Whether a tenth of the digits is still read correctly, the interval does not tell.",
    ),
)

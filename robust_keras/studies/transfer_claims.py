"""What McKay's survey (2018) reports of attacks that come from another model.

Where a number of a paper could not be checked here, none is given.
"""

from robust_keras.studies import answers
from robust_keras.studies.accuracies import less
from robust_keras.studies.step_ll_transfer import TOPS
from robust_keras.studies.study import Claim, Measure, Value, alone

MODELS = ("plain", "elu", "fc5", "adversarial", "ensemble", "penalty")
# The survey's on ImageNet, and one that does something to digits.
EPSILONS = (0.0625, 0.3)
UNKNOWN = "no number at hand"
ASKED = "not measured there"


def transferred(source: str, target: str, epsilon: float = 0.3, top: int = 1) -> Value:
    """Accuracy of one network on Step-LL's examples made on another: its `top` classes count."""

    def value(of):
        texts = of.made("transfer")[str(epsilon)][source][target]
        return answers.array(texts[TOPS.index(top)])

    return value


def _on_substitute(of, target):
    """Accuracy of a model (0 plain, 1 penalty) on FGSM's examples of its own substitute."""
    return of.transferred("substitute", 2 + target, target, 0.3)


TRANSFER_CLAIMS = (
    Claim(
        "own_is_strongest",
        "A network's own gradient does more than another network's",
        "error of v4: 60.2 % by its own, 39.2 % by v3's (ImageNet, 16/256)",
        (
            Measure(
                "Step-LL at 16/256; plain's errors by its own beyond those by ELU's examples",
                less(transferred("elu", "plain", 0.0625), transferred("plain", "plain", 0.0625)),
            ),
            Measure(
                "Step-LL at 0.3; the same",
                less(transferred("elu", "plain"), transferred("plain", "plain")),
            ),
        ),
        holds="Its own examples fool the plain network more often than ELU's.",
        fails="ELU's examples fool the plain network as often as its own: one step towards "
        "the least likely class is no strong attack.",
        open="The difference is too small to tell; other networks stand in the figure.",
    ),
    Claim(
        "own_top_five",
        "Also where the five likeliest classes count",
        "top-5 error of v4: 31.0 % by its own, 14.9 % by v3's",
        alone(
            "Step-LL at 0.3, top 5 of 10; the same",
            less(transferred("elu", "plain", top=5), transferred("plain", "plain", top=5)),
        ),
        holds="Its own examples push the class out of the first five more often.",
        fails="Its own examples push the class out of the first five no more often.",
    ),
    Claim(
        "robust_source",
        "Examples made on an adversarially trained network carry over less",
        "error of v4: 39.2 % by v3's, 31.1 % by v3 adversarially trained",
        alone(
            "Step-LL at 0.3; plain's errors by ELU's examples beyond those by its",
            less(transferred("adversarial", "plain"), transferred("elu", "plain")),
        ),
        holds="They fool the plain network less often than ELU's.",
        fails="They fool the plain network at least as often as ELU's.",
    ),
    Claim(
        "ensemble",
        "Ensemble training lowers what carries over",
        UNKNOWN,
        alone(
            "Step-LL at 0.3 made on the plain network, which it was not trained on; ELU's errors "
            "beyond its own",
            less(transferred("plain", "ensemble"), transferred("plain", "elu")),
        ),
        holds="Examples of a network that it never met fool it less often than ELU.",
        fails="Examples of a network that it never met fool it as often as ELU.",
    ),
    Claim(
        "ensemble_whitebox",
        "Asked here: ensemble training withstands an attacker who has the network",
        ASKED,
        (
            Measure(
                "its own Step-LL at 0.3; half of the digits left",
                lambda of: of.robust("hardened", "step_ll", 0.3),
                0.5,
            ),
            Measure(
                "`quick` and audit at 0.3; half of the digits left",
                lambda of: of.worst("hardened", 0.3),
                0.5,
            ),
        ),
        holds="More than half of the digits hold out.",
        fails="Less than half of the digits hold out.",
        open="About half of the digits hold out.",
    ),
    Claim(
        "ceiling",
        "Adversarial training costs clean accuracy",
        UNKNOWN,
        alone(
            "clean, 10,000 images: accuracy of plain beyond its",
            lambda of: of.trained("plain") - of.trained("adversarial"),
        ),
        holds="It is less accurate on clean digits.",
        fails="It is not less accurate on clean digits.",
        open="On digits the difference is too small to tell.",
    ),
    Claim(
        "penalty",
        "A network with a gradient penalty falls to examples from outside more than to its own",
        UNKNOWN,
        alone(
            "Step-LL at 0.3: errors by the plain network's examples beyond those by its own",
            less(transferred("penalty", "penalty"), transferred("plain", "penalty")),
        ),
        holds="Another network's examples do more than its own.",
        fails="Its own do at least as much; from outside it falls, too, as the table shows.",
    ),
    Claim(
        "substitute",
        "A substitute trained on a model's answers alone is enough to fool it",
        "84.24 % misclassified by a hosted model of MNIST, 6,400 questions",
        alone(
            "FGSM at 0.3 on the substitute, 4,800 questions; most misclassified",
            lambda of: 1.0 - _on_substitute(of, 0),
            0.5,
        ),
        holds="Most of them are misclassified.",
        fails="Less than half of them are misclassified.",
        open="Whether half of them are misclassified, the interval does not tell.",
    ),
    Claim(
        "substitute_penalty",
        "Also where the model was trained with a gradient penalty",
        UNKNOWN,
        alone("the same", lambda of: 1.0 - _on_substitute(of, 1), 0.5),
        holds="Most of them are misclassified.",
        fails="Less than half of them are misclassified.",
        open="Whether half of them are misclassified, the interval does not tell.",
    ),
    Claim(
        "denoiser",
        "A denoiser guided by the network's logits stops attacks that do not know of it",
        UNKNOWN,
        alone(
            "PGD at 0.3 made on the network behind it; ten points more",
            lambda of: (
                of.transferred("denoised", 0, 1, 0.3) - of.transferred("denoised", 0, 0, 0.3)
            ),
            0.1,
        ),
        holds="With it at least ten points more of these examples are read correctly.",
        fails="With it less than ten points more of these examples are read correctly.",
        open="The gain is about ten points.",
    ),
    Claim(
        "denoiser_whitebox",
        "And falls to attacks that go through it",
        "100 % of targets reached at 4/255 (Athalye and Carlini, 2018)",
        alone(
            "`quick` and audit at 0.3; at most a tenth left",
            lambda of: -of.worst("denoised:1", 0.3),
            -0.1,
        ),
        holds="Less than a tenth of the digits hold out.",
        fails="More than a tenth of the digits hold out.",
        open="About a tenth of the digits holds out.",
    ),
)

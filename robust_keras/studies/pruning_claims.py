"""What Maestrati (2020) claims, and what decides about it."""

from robust_keras.studies import proofs
from robust_keras.studies.accuracies import above, gains, less, over_epsilon
from robust_keras.studies.study import Claim, Measure, alone

EPSILONS = {"mnist": (0.02, 0.05, 0.1, 0.2), "cifar10": (0.00784313725490196, 0.0313725490196078)}
# Where something can be proved of networks that were not trained for it.
PROVED = 0.02
_FIGURES = "figures, no numbers"
# The slides' temperatures are of another network.
_RESNET = f"{_FIGURES}, of ResNet-18"
_SMALL = EPSILONS["cifar10"][0]


def _difference(higher, lower, epsilon, above=0.0):
    bound = {0.0: "more", 0.1: "ten points more"}.get(above, "not two points less")
    return gains(higher, lower, epsilon, above, step="FGSM", bound=bound)


def _lowered(name, share, pruned):
    return Claim(
        f"pruning_{name}",
        f"Gradual pruning lowers robustness: FC5 at batch 128, {share} zeros",
        _FIGURES,
        (
            Measure("FGSM at 0.2; more", above("b128", pruned, 0.2, "fgsm")),
            *_difference("b128", pruned, 0.05),
        ),
        holds="At 0.05 the dense network keeps more under a strong attack.",
        fails="At 0.05 the dense network keeps no more under a strong attack.",
    )


def _unharmed(name, says, dense, epsilon):
    return Claim(
        f"pruning_{name}",
        says,
        _FIGURES,
        _difference(f"{dense}_s9", dense, epsilon, -0.02),
        holds="It costs less than two points of robustness; what it costs without attack is in "
        "the tables.",
        fails="It costs two points of robustness and more.",
        open="Whether it costs two points, the interval is too wide to tell.",
    )


def _convolutions_unharmed(network, batch, label):
    name = f"{network}_{batch}"
    says = f"Pruning to 0.9 zeros does not lower {label} at batch {batch}"
    return _unharmed(name, says, name, _SMALL)


def _no_help(network, batch, label):
    name = f"{network}_{batch}"
    return Claim(
        f"rank_{name}",
        f"Low-rank convolutions do not help {label} at batch {batch}",
        _FIGURES,
        _difference(name, f"{name}_rank", _SMALL, -0.02),
        holds="Low rank gains less than two points.",
        fails="Low rank gains two points and more.",
        open="Whether it gains two points, the interval is too wide to tell.",
    )


def _withstands(name, temperature):
    tempered = f"t{temperature}"
    return Claim(
        name,
        f"Training FC5 at T = {temperature} withstands FGSM by an attacker who does not know T",
        _RESNET,
        _difference(tempered, "b128", 0.05, 0.1),
        holds="It keeps ten points more under every attack.",
        fails="Attacks whose loss does not hang on the scale of logits leave it less than "
        "ten points more.",
        open="The gain is about ten points.",
    )


def _growth(attack=None, tempered="t100"):
    """How much more T = 100 gains at 0.2 than at 0.02."""
    high, low = over_epsilon(tempered, attack), over_epsilon("b128", attack)
    return less(less(high(0.2), low(0.2)), less(high(0.02), low(0.02)))


def _grows(name, knowing, tempered):
    return Claim(
        name,
        f"What training FC5 at T = 100 gains grows with epsilon{knowing}",
        _RESNET,
        (
            Measure("FGSM, gain at 0.2 beyond that at 0.02", _growth("fgsm", tempered)),
            Measure("`quick` and audit, the same", _growth()),
        ),
        holds="It does under every attack.",
        fails="Under a strong attack nothing grows: at 0.2 both have nothing left.",
        open="Under a strong attack the interval does not tell; what is left at 0.2 is a row of "
        "its own.",
    )


def _kernels(fact, higher, lower):
    """By how much a fact of one network's kernels is above that of the other's."""
    return lambda of: of.made("kernels")[higher][fact] - of.made("kernels")[lower][fact]


CLAIMS = (
    _lowered("128", "0.9", "b128_s9"),
    _lowered("half", "0.5", "b128_s5"),
    _lowered("most", "0.95", "b128_s95"),
    _unharmed("512", "Pruning to 0.9 zeros does not lower FC5 at batch 512", "b512", 0.05),
    _withstands("unknown_temperature", 100),
    Claim(
        "known_temperature",
        "Training FC5 at T = 100 withstands FGSM at 0.05 also if the attacker knows T",
        _RESNET,
        (
            Measure(
                "FGSM at T = 100 at 0.05; more",
                lambda of: of.robust("t100_known", "fgsm", 0.05) - of.robust("b128", "fgsm", 0.05),
            ),
            Measure(
                "`quick` and audit at 0.05; more",
                lambda of: of.worst("t100", 0.05) - of.worst("b128", 0.05),
            ),
        ),
        holds="Something is left of the gain at 0.05.",
        fails="Nothing is left of the gain at 0.05.",
        open="What is left of the gain at 0.05 is too little to tell.",
    ),
    _withstands("low_temperature", 20),
    _grows("grows_with_epsilon", "", "t100"),
    _grows(
        "known_grows",
        ", also if the attacker knows T (row written when the number could be seen)",
        "t100_known",
    ),
    Claim(
        "nothing_left",
        "Asked here, when the number could be seen: at 0.2 a strong attack leaves FC5 trained at "
        "T = 100 nothing",
        "not measured there",
        (
            Measure(
                "FGSM, at most 2 % left", lambda of: -of.robust("t100", "fgsm", 0.2), above=-0.02
            ),
            Measure(
                "`quick` and audit; at most 2 % left",
                lambda of: -of.worst("t100", 0.2),
                above=-0.02,
            ),
        ),
        holds="All that FGSM left falls.",
        fails="More than 2 % are left.",
    ),
    Claim(
        "pruned_proved",
        "Asked here: of a pruned network more can be proved than of its dense twin",
        "not measured there",
        alone(
            f"proved at {PROVED}; more",
            less(proofs.share("b128_s9", PROVED), proofs.share("b128", PROVED)),
        ),
        holds="More of it is proved.",
        fails="No more is proved of it.",
    ),
    Claim(
        "sparse",
        "Adversarial training makes weights sparse",
        "quoted there",
        alone(
            "share of near-zero kernel entries, beyond the plain twin's",
            _kernels("near_zero", "robust", "plain"),
            unit="",
        ),
        holds="More of its kernel entries are near zero.",
        fails="No more of its kernel entries are near zero.",
    ),
    Claim(
        "low_rank",
        "Adversarial training makes weights of low rank",
        "quoted there",
        alone(
            "effective rank (share of the full one) below the plain twin's",
            _kernels("rank", "plain", "robust"),
            unit="",
        ),
        holds="Its kernels have a lower effective rank.",
        fails="Its kernels have no lower effective rank.",
    ),
    Claim(
        "nuclear_helps",
        "A nuclear-norm penalty makes a network more robust",
        "quoted there",
        _difference("nuclear", "b128", 0.05),
        holds="It keeps more than without the penalty.",
        fails="It keeps no more than without the penalty.",
    ),
    Claim(
        "nuclear_less",
        "A nuclear-norm penalty helps less than adversarial training",
        "quoted there",
        _difference("robust", "nuclear", 0.1, 0.1),
        holds="Adversarial training keeps at least ten points more.",
        fails="Adversarial training keeps less than ten points more.",
        open="Adversarial training keeps about ten points more.",
    ),
    Claim(
        "bound",
        "A change of the logits is at most that of the image times the layers' spectral norms",
        "an inequality",
        alone(
            "1 minus the largest ratio seen to the bound, on adversarial examples; above 0",
            lambda of: 1.0 - of.made("bound")["largest"] / of.made("bound")["bound"],
            unit="",
        ),
        holds="No example comes near it: as a bound it is right, and loose.",
        fails="An example breaks it, which cannot be: one of both is computed wrongly.",
        open="The largest change is near the bound.",
    ),
    _convolutions_unharmed("alexnet", 128, "AlexNet"),
    _no_help("alexnet", 512, "AlexNet"),
    _convolutions_unharmed("resnet18", 128, "ResNet-18"),
    _convolutions_unharmed("resnet18", 512, "ResNet-18"),
    _no_help("resnet18", 128, "ResNet-18"),
)

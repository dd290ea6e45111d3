"""What Zhao and Griffin (2016) claim of nonsense."""

from robust_keras.studies.accuracies import less
from robust_keras.studies.curves import share
from robust_keras.studies.study import Claim, alone
from robust_keras.studies.symmetric_gains import GAIN, WEIGHTS
from robust_keras.studies.symmetric_networks import LABELS, label


def _fewer(better, worse, strength):
    """By how much less of nonsense one network accepts."""
    return less(share(worse, "nonsense", strength), share(better, "nonsense", strength))


def _rejects(model, strength=0.0):
    accepted = share(model, "nonsense", strength)
    return lambda of: -accepted(of)


def _two_percent(name, says, number, model, holds):
    return Claim(
        name,
        says,
        f"nonsense accepted: {number}, {WEIGHTS}",
        alone("nonsense as it is; at most 2 % accepted", _rejects(model), above=-0.02),
        holds=holds,
        fails="It accepts more than 2 % of it.",
        open="It accepts about 2 %, or more in some trainings and less in others.",
    )


def _accepts_less(name, says, number, better, worse, strength, holds):
    return Claim(
        name,
        says,
        f"accepted at {strength:g}: {number}, {WEIGHTS}",
        alone(
            f"one step of {strength:g} towards the most sensitive class: accepted by "
            f"{label(worse)} less that by {label(better)}; more",
            _fewer(better, worse, strength),
        ),
        holds=holds,
        fails=f"It accepts as much as {label(worse)}, or more.",
    )


def _unit_rejects(name, number, model):
    return Claim(
        name,
        f"{LABELS[model]} alone, without M, accepts less nonsense than the plain network",
        f"nonsense accepted: {number}, {WEIGHTS}",
        alone(
            f"nonsense as it is: accepted by plain less that by {LABELS[model]}; more",
            _fewer(model, "plain", 0.0),
        ),
        holds="It accepts less of it; the table tells how much.",
        fails="It accepts as much as the plain network, or more.",
    )


NONSENSE = (
    _two_percent(
        "nonsense",
        "mReLU-R-M, by mean training (M), rejects nonsense",
        "98.3 % plain, 0.0 % mReLU-R-M",
        "mrelu_rm",
        "It was trained on much the same noise, and rejects it.",
    ),
    _two_percent(
        "mean_alone",
        "Mean training (M) alone, without R, has a plain network reject nonsense",
        "98.3 % plain, 0.0 % plain-R-M (none of plain-M)",
        "plain_m",
        "It was trained on much the same noise, and needs neither R nor symmetric units.",
    ),
    _two_percent(
        "mean_mrelu",
        "M alone, without R, has an mReLU network reject nonsense",
        "0.0 % mReLU-R-M (none of mReLU-M)",
        "mrelu_m",
        "It was trained on much the same noise, and needs no R.",
    ),
    _two_percent(
        "cifar_nonsense",
        "On CIFAR-10, too, mReLU-R-M rejects nonsense",
        "92.9 % plain, 0.0 % mReLU-R-M",
        "cifar_mrelu_rm",
        "It was trained on much the same noise, and rejects it.",
    ),
    _two_percent(
        "cifar_mean_mrelu",
        "On CIFAR-10 M alone, without R, has an mReLU network reject nonsense",
        "68.1 % mReLU, 0.0 % mReLU-R-M (none of mReLU-M)",
        "cifar_mrelu_m",
        "It was trained on much the same noise, and needs no R.",
    ),
    Claim(
        "plain_accepts_nonsense",
        "A plain network takes nonsense for digits and is sure of it",
        f"98.3 % accepted (confidence above 0.5), {WEIGHTS}",
        alone(
            "nonsense as it is, the plain network; most accepted",
            share("plain", "nonsense", 0.0),
            above=0.5,
        ),
        holds="It is more than half sure of most nonsense.",
        fails="It accepts less than half of plain noise.",
        open="How much it accepts differs too much from training to training.",
    ),
    _unit_rejects("rbf_nonsense", "98.3 % plain, 69.4 % RBF", "rbf"),
    _unit_rejects(
        "mrelu_nonsense", "98.3 % plain (of mReLU none: its file has eleven outputs)", "mrelu"
    ),
    _accepts_less(
        "moved_nonsense",
        "mReLU-R-M accepts less than plain of nonsense that was moved towards a class",
        "99.0 % plain, 0.2 % mReLU-R-M",
        "mrelu_rm",
        "plain",
        0.3,
        "It accepts less of it; how much is the next row.",
    ),
    Claim(
        "moved_nonsense_share",
        "mReLU-R-M rejects nonsense that was moved towards a class",
        f"accepted at 0.3: 0.2 % mReLU-R-M, {WEIGHTS}",
        alone(
            "one step of 0.3 towards the most sensitive class; at most 10 % accepted",
            _rejects("mrelu_rm", 0.3),
            above=-0.1,
        ),
        holds="It accepts less than a tenth of it.",
        fails="It accepts more than a tenth of it.",
        open="The interval includes a tenth.",
    ),
    _accepts_less(
        "moved_nonsense_better_than_rm",
        "mReLU-R-M accepts less of nonsense that was moved than plain-R-M",
        "9.1 % plain-R-M, 0.2 % mReLU-R-M",
        "mrelu_rm",
        "plain_rm",
        0.3,
        "With the same training it accepts less of it.",
    ),
    _accepts_less(
        "cifar_moved_nonsense",
        "On CIFAR-10, too, mReLU-R-M accepts less than plain of nonsense that was moved",
        "85.8 % plain, 10.1 % mReLU-R-M",
        "cifar_mrelu_rm",
        "cifar_plain",
        0.05,
        "It accepts less of it; the tables tell how much.",
    ),
    Claim(
        "cifar_moved_nonsense_share",
        "On CIFAR-10, too, mReLU-R-M rejects nonsense that was moved (row written when the number "
        "could be seen)",
        f"accepted at 0.05: 10.1 % mReLU-R-M, {WEIGHTS}",
        alone(
            "one step of 0.05 towards the most sensitive class; at most 20 % accepted",
            _rejects("cifar_mrelu_rm", 0.05),
            above=-0.2,
        ),
        holds="It accepts less than a fifth of it.",
        fails="It accepts more than a fifth of it, as the tables show.",
        open="The interval includes a fifth.",
    ),
    _accepts_less(
        "cifar_moved_nonsense_better_than_rm",
        "On CIFAR-10, too, mReLU-R-M accepts less of nonsense that was moved than plain-R-M",
        "99.8 % plain-R-M, 10.1 % mReLU-R-M",
        "cifar_mrelu_rm",
        "cifar_plain_rm",
        0.05,
        "With the same training it accepts less of it; the tables tell how much.",
    ),
    Claim(
        "cifar_nonsense_better_than_rm",
        "On CIFAR-10 mReLU-R-M accepts less than plain-R-M of nonsense as it is",
        f"nonsense accepted: 13.8 % plain-R-M, 0.0 % mReLU-R-M, {WEIGHTS}",
        alone(
            "nonsense as it is: accepted by plain-R-M less that by mReLU-R-M; ten points less",
            _fewer("cifar_mrelu_rm", "cifar_plain_rm", 0.0),
            GAIN,
        ),
        holds="With the same training it accepts at least ten points less.",
        fails="With the same training it does not accept ten points less; the table tells what "
        "each accepts.",
        open="With the same training the difference is about ten points.",
    ),
    Claim(
        "fooling",
        "Asked here: mReLU-R-M also rejects nonsense that climbs towards a class",
        "not measured there",
        alone(
            "gradient ascent of 300 steps; at most one class of ten accepted (ten images are too "
            "few for it ever to hold)",
            lambda of: -of.fooling("mrelu_rm", "fooling_gradient", "accepted"),
            above=-0.1,
        ),
        holds="Gradient ascent hardly finds an image that it accepts.",
        fails="For more than one class in ten gradient ascent finds an image that it accepts.",
        open="Gradient ascent finds some.",
    ),
)

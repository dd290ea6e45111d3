"""What Zhao and Griffin (2016) claim of noise, nonsense and features."""

from robust_keras.studies.accuracies import less
from robust_keras.studies.curves import share
from robust_keras.studies.study import Claim, alone
from robust_keras.studies.symmetric_gains import GAIN, WEIGHTS


def _reads(better, worse, strength):
    """By how much more noisy images one network reads."""
    return less(share(better, "noisy", strength), share(worse, "noisy", strength))


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


_NOISE = (
    Claim(
        "random_noise",
        "Random training (R) makes noisy digits readable",
        f"error on noise of 0.5: 77.5 % plain, 5.3 % plain-R-M (none of plain-R), {WEIGHTS}",
        alone(
            "noise of 0.5: accuracy of plain-R less that of plain; more",
            _reads("plain_r", "plain", 0.5),
        ),
        holds="It reads more of them: it was trained on such noise.",
        fails="It reads noisy digits no better.",
        open="The gain is too small to tell.",
    ),
    *(
        Claim(
            name,
            f"mReLU-R-M reads noisy {what} that the plain network does not",
            f"error on noise of {strength:g}: {number}, {WEIGHTS}",
            alone(
                f"noise of {strength:g}: accuracy of mReLU-R-M less that of plain; ten points more",
                _reads(model, plain, strength),
                GAIN,
            ),
            holds="It reads at least ten points more of them: it was trained on such noise.",
            fails="It reads less than ten points more of them, or fewer.",
            open="It reads about ten points more of them.",
        )
        for name, what, strength, number, model, plain in (
            ("noise", "digits", 0.5, "77.5 % plain, 7.1 % mReLU-R-M", "mrelu_rm", "plain"),
            (
                *("cifar_noise", "images of CIFAR-10", 0.15),
                *("66.2 % plain, 29.1 % mReLU-R-M", "cifar_mrelu_rm", "cifar_plain"),
            ),
        )
    ),
)
_NONSENSE = (
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
    Claim(
        "moved_nonsense",
        "mReLU-R-M accepts less than plain of nonsense that was moved towards a class",
        f"accepted at 0.3: 99.0 % plain, 0.2 % mReLU-R-M, {WEIGHTS}",
        alone(
            "one step of 0.3 towards the most sensitive class: accepted by plain less that by "
            "mReLU-R-M; more",
            _fewer("mrelu_rm", "plain", 0.3),
        ),
        holds="It accepts less of it; how much is the next row.",
        fails="It accepts as much as the plain network.",
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
        open="It accepts about a tenth, or the interval does not tell.",
    ),
    Claim(
        "cifar_moved_nonsense",
        "On CIFAR-10, too, mReLU-R-M accepts less than plain of nonsense that was moved",
        f"accepted at 0.05: 85.8 % plain, 10.1 % mReLU-R-M, {WEIGHTS}",
        alone(
            "one step of 0.05 towards the most sensitive class: accepted by plain less that by "
            "mReLU-R-M; more",
            _fewer("cifar_mrelu_rm", "cifar_plain", 0.05),
        ),
        holds="It accepts less of it; the tables tell how much.",
        fails="It accepts as much as the plain network.",
    ),
    Claim(
        "fooling",
        "Asked here: mReLU-R-M also rejects nonsense that climbs towards a class",
        "not measured there",
        alone(
            "gradient ascent of 300 steps; at most one class of ten accepted",
            lambda of: -of.fooling("mrelu_rm", "fooling_gradient", "accepted"),
            above=-0.1,
        ),
        holds="Gradient ascent hardly finds an image that it accepts.",
        fails="For more than one class in ten gradient ascent finds an image that it accepts.",
        open="Gradient ascent finds some.",
    ),
)
_FEATURES = (
    Claim(
        "histograms",
        "A network's features on real images are distributed symmetrically",
        "histograms, no numbers",
        alone(
            "plain network: minus the median absolute skewness of the convolutions' channels, "
            "before the activation; skewness below 0.5",
            lambda of: -of.made("histograms")["skewness"],
            above=-0.5,
            unit="",
        ),
        holds="Half of the channels and more are about symmetric; whether they are normally "
        "distributed is not measured.",
        fails="Half of the channels and more are skewed by more than a half.",
        open="The median channel is skewed by about a half.",
    ),
    Claim(
        "low_density",
        "Nonsense lies farther out than real features",
        "histograms, no numbers: it lies where real features seldom are",
        alone(
            "plain network: mean distance of nonsense from the mean of the digits' features, over "
            "that of the digits; above 1",
            lambda of: of.made("histograms")["distance"],
            above=1.0,
            unit="",
        ),
        holds="It does; how seldom digits lie there is the next row.",
        fails="Its features lie no farther out than those of digits.",
    ),
    Claim(
        "seldom",
        "Nonsense lies where real features seldom are",
        "histograms, no numbers",
        alone(
            "plain network: share of nonsense's features farther out than 95 % of the digits' of "
            "the same channel, mean over the channels; above a half",
            lambda of: of.made("histograms")["beyond"],
            above=0.5,
            unit="",
        ),
        holds="More than half of its features lie where at most 5 % of those of digits do.",
        fails="Half of its features and more lie where 95 % of those of digits do.",
        open="About half of its features lie where at most 5 % of those of digits do.",
    ),
)

NONSENSE_CLAIMS = (*_NOISE, *_NONSENSE, *_FEATURES)

"""What Zhao and Griffin (2016) claim of noisy images."""

from robust_keras.studies.accuracies import less
from robust_keras.studies.curves import share
from robust_keras.studies.study import Claim, alone
from robust_keras.studies.symmetric_gains import ELEVEN, GAIN, WEIGHTS
from robust_keras.studies.symmetric_networks import LABELS, label


def _reads(better, worse, strength):
    """By how much more noisy images one network reads."""
    return less(share(better, "noisy", strength), share(worse, "noisy", strength))


def _reads_more(name, says, number, better, worse, holds, strength=0.5):
    return Claim(
        name,
        says,
        number,
        alone(
            f"noise of {strength:g}: accuracy of {label(better)} less that of {label(worse)}; more",
            _reads(better, worse, strength),
        ),
        holds=holds,
        fails="It reads noisy images no better.",
    )


def _unit_reads(name, error, model):
    return _reads_more(
        name,
        f"Asked here: {LABELS[model]} alone, without R, reads more noisy digits than the plain "
        "network",
        f"error on noise of 0.5: 77.5 % plain, {error}, {WEIGHTS}",
        model,
        "plain",
        "It reads more of them.",
    )


NOISE = (
    _reads_more(
        "random_noise",
        "Random training (R) makes noisy digits readable",
        f"error on noise of 0.5: 77.5 % plain, 5.3 % plain-R-M (none of plain-R), {WEIGHTS}",
        "plain_r",
        "plain",
        "It reads more of them: it was trained on such noise.",
    ),
    _reads_more(
        "random_not_mean_noise",
        "Asked here: it is R that makes them readable and not M",
        "not measured there",
        "plain_r",
        "plain_m",
        "Plain-R reads more of them than plain-M.",
    ),
    _reads_more(
        "plain_reads_noise",
        "Asked here: plain-R-M reads more noisy digits than mReLU-R-M",
        f"error on noise of 0.5: 5.3 % plain-R-M, 7.1 % mReLU-R-M, {WEIGHTS}",
        "plain_rm",
        "mrelu_rm",
        "With the same training the plain network reads more of them.",
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
            fails="It does not read ten points more of them.",
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
    _unit_reads("mrelu_noise", f"76.2 % mReLU {ELEVEN}", "mrelu"),
    _unit_reads("rbf_noise", "83.1 % RBF", "rbf"),
    _reads_more(
        "cifar_random_noise",
        "Asked here: random training (R) alone makes noisy images of CIFAR-10 readable to an mReLU "
        "network",
        f"error on noise of 0.15: 67.7 % mReLU, 29.1 % mReLU-R-M (none of mReLU-R), {WEIGHTS}",
        "cifar_mrelu_r",
        "cifar_mrelu",
        "It reads more of them: it was trained on such noise.",
        0.15,
    ),
    Claim(
        "cifar_noise_smaller",
        "On CIFAR-10 mReLU-R-M gains less on noise than on MNIST",
        f"gain in points: 70.4 on MNIST at 0.5, 37.1 on CIFAR-10 at 0.15, {WEIGHTS}",
        alone(
            "the two gains over plain; ten points less",
            less(_reads("mrelu_rm", "plain", 0.5), _reads("cifar_mrelu_rm", "cifar_plain", 0.15)),
            GAIN,
        ),
        holds="The gain is at least ten points smaller there.",
        fails="The two gains differ by less than ten points.",
    ),
)

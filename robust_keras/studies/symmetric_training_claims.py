"""What Zhao and Griffin (2016) claim of the training on MNIST: R, M, SGD; and of -A, asked here."""

from robust_keras.studies.accuracies import above
from robust_keras.studies.study import Claim, alone
from robust_keras.studies.symmetric_gains import ABOUT_TEN, ELEVEN, WEIGHTS, gain, own_step

_SGD_CLEAN = f"clean error 1.05 % mReLU {ELEVEN}, {WEIGHTS}"
_WITH_MRELU = f"error at 0.1: 10.5 % mReLU {ELEVEN}, 4.2 % mReLU-R-M"


def _helps_mrelu(name, training, letter):
    return Claim(
        name,
        f"Asked here: {training} training ({letter}) alone helps an mReLU network, too",
        f"{_WITH_MRELU} (none of mReLU-{letter}), {WEIGHTS}",
        gain(f"mrelu_{letter.lower()}", "mrelu", 0.1),
        holds="A longer attack, too, leaves mReLU at least ten points more with it.",
        fails="A longer attack leaves mReLU less than ten points more with it.",
        open=ABOUT_TEN,
    )


def _trains(name, says, epochs, model):
    return Claim(
        name,
        says,
        _SGD_CLEAN,
        alone(
            f"clean accuracy of mReLU by SGD with momentum, {epochs}, 10,000 images; above 95 %",
            lambda of: of.trained(model),
            above=0.95,
        ),
        holds="It trains; what it does without batch normalisation is not measured.",
        fails="It stays below 95 %.",
        open="It comes near 95 %.",
    )


_NOISE_AND_NONSENSE = (
    Claim(
        "random_adversarial",
        "Random training (R) helps against adversarial examples",
        "error at 0.2: 98.5 % plain, 81.0 % plain-R-M (none of plain-R); at 0.1: 81.2 % and "
        f"30.9 %, {WEIGHTS}",
        (own_step("plain_r", "plain", 0.2), *gain("plain_r", "plain", 0.1)),
        holds="At 0.1 plain-R keeps at least ten points more; 0.2 is the next row.",
        fails="What noise in training gains against one step, a longer attack takes.",
        open="The gain is about ten points.",
    ),
    Claim(
        "random_farther",
        "The same at 0.2",
        f"error at 0.2: 98.5 % plain, 81.0 % plain-R-M (none of plain-R), {WEIGHTS}",
        gain("plain_r", "plain", 0.2),
        holds="At 0.2, too, plain-R keeps at least ten points more.",
        fails="At 0.2 a longer attack leaves plain-R less than ten points more.",
        open="The gain is about ten points.",
    ),
    Claim(
        "random_not_mean",
        "Asked here: it is R that helps and not M: plain-R withstands more than plain-M",
        "not measured there",
        gain("plain_r", "plain_m", 0.1),
        holds="Plain-R keeps at least ten points more than plain-M.",
        fails="Plain-R does not keep ten points more than plain-M.",
        open="The difference is about ten points.",
    ),
    _helps_mrelu("random_mrelu", "random", "R"),
    _helps_mrelu("mean_mrelu_attacked", "mean", "M"),
)
_SGD = (
    _trains(
        "sgd",
        "Symmetric networks train by SGD with batch normalisation, without pre-training",
        "one epoch",
        "mrelu_sgd",
    ),
    _trains("sgd_longer", "The same in five epochs", "five epochs", "mrelu_sgd5"),
)
_ADVERSARIAL = tuple(
    Claim(
        name,
        f"Asked here: with adversarial training (-A) {label} withstands more than ReLU",
        "not measured there",
        alone(
            f"`quick` and audit at 0.1, {label}-A less plain-A; more",
            above(model, "plain_a", 0.1),
        ),
        holds="It keeps more than the plain network trained the same way.",
        fails="It keeps no more than the plain network trained the same way.",
    )
    for name, label, model in (
        ("adversarial", "mReLU", "mrelu_a"),
        ("rbf_adversarial", "RBF", "rbf_a"),
    )
)

TRAINING_CLAIMS = (*_NOISE_AND_NONSENSE, *_SGD, *_ADVERSARIAL)

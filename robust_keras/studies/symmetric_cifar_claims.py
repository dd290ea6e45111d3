"""What Zhao and Griffin (2016) claim of CIFAR-10, and whether symmetric units gain there, too."""

from robust_keras.studies.accuracies import above
from robust_keras.studies.study import Claim, alone
from robust_keras.studies.symmetric_gains import WEIGHTS, gain, smaller, withstands

_EPSILON, _SMALL = 0.03, 0.01
_NOT_THERE = "not measured there"


# Whom a network is compared with, in words.
_WHOM = {
    "cifar_plain": "the plain network",
    "cifar_plain_rm": "the plain network trained the same way",
    "cifar_plain_bn": "the plain network with batch normalisation",
    "cifar_mrelu": "the mReLU network without it",
}


def _withstands(name, says, number, better, worse="cifar_plain", epsilon=_EPSILON):
    told = f"error at {epsilon:g}: {number}, {WEIGHTS}" if number else _NOT_THERE
    return withstands(name, says, told, gain(better, worse, epsilon), _WHOM[worse])


def _as_accurate(name, says, number, worse, whom):
    return Claim(
        name,
        says,
        number,
        alone(f"accuracy less that of {whom}, 10,000 images; more", _above("cifar_mrelu", worse)),
        holds=f"It is more accurate than {_WHOM[worse]}.",
        fails=f"It is no more accurate than {_WHOM[worse]}.",
    )


def _above(model, worse="cifar_plain"):
    return lambda of: of.trained(model) - of.trained(worse)


CIFAR_CLAIMS = (
    _withstands(
        "cifar",
        "On CIFAR-10, too, mReLU-R-M withstands more than the plain network",
        "88.3 % plain, 37.0 % mReLU-R-M",
        "cifar_mrelu_rm",
    ),
    _withstands(
        "cifar_small_epsilon",
        "On CIFAR-10 the same at a small strength",
        "58.6 % plain, 24.5 % mReLU-R-M",
        "cifar_mrelu_rm",
        epsilon=_SMALL,
    ),
    Claim(
        "cifar_smaller",
        "On CIFAR-10 mReLU-R-M gains less than on MNIST",
        f"gain in points: 90.9 on MNIST at 0.2, 51.3 on CIFAR-10 at 0.03, {WEIGHTS}",
        smaller(("mrelu_rm", "plain", 0.2), ("cifar_mrelu_rm", "cifar_plain", _EPSILON)),
        holds="Under a longer attack, too, the gain is at least ten points smaller there.",
        fails="Under a longer attack the two gains differ by less than ten points, or there is "
        "none on MNIST.",
        open="Under a longer attack the two gains differ by about ten points.",
    ),
    _withstands(
        "cifar_better_than_rm",
        "On CIFAR-10, too, mReLU adds to what R-M does for a plain network",
        "72.9 % plain-R-M, 37.0 % mReLU-R-M",
        "cifar_mrelu_rm",
        "cifar_plain_rm",
    ),
    _withstands(
        "cifar_small_better_than_rm",
        "On CIFAR-10 the same at a small strength: mReLU adds to R-M",
        "37.3 % plain-R-M, 24.5 % mReLU-R-M",
        "cifar_mrelu_rm",
        "cifar_plain_rm",
        _SMALL,
    ),
    _withstands(
        "cifar_rm",
        "On CIFAR-10, too, noise and nonsense in training (R-M) help a plain network",
        "88.3 % plain, 72.9 % plain-R-M",
        "cifar_plain_rm",
    ),
    _withstands(
        "cifar_alone",
        "On CIFAR-10, too, mReLU alone withstands more than the plain network",
        "88.3 % plain, 75.5 % mReLU",
        "cifar_mrelu",
    ),
    _withstands(
        "cifar_alone_normalised",
        "Asked here: on CIFAR-10 mReLU alone withstands more than a plain network with batch "
        "normalisation",
        "",
        "cifar_mrelu",
        "cifar_plain_bn",
    ),
    _withstands(
        "cifar_random_mrelu",
        "Asked here: on CIFAR-10 random training (R) alone helps an mReLU network",
        "33.4 % mReLU, 24.5 % mReLU-R-M (none of mReLU-R)",
        "cifar_mrelu_r",
        "cifar_mrelu",
        _SMALL,
    ),
    _withstands(
        "cifar_rbf",
        "On CIFAR-10, too, RBF-R-M withstands more than the plain network",
        "88.3 % plain, 50.4 % RBF-R-M",
        "cifar_rbf_rm",
    ),
    _as_accurate(
        "cifar_clean",
        "mReLU is a little more accurate than the plain network on clean CIFAR-10",
        f"error 21.7 % plain, 19.5 % mReLU, {WEIGHTS}",
        "cifar_plain",
        "plain",
    ),
    _as_accurate(
        "cifar_clean_normalised",
        "Asked here: mReLU is a little more accurate than a plain network with batch normalisation "
        "on clean CIFAR-10",
        _NOT_THERE,
        "cifar_plain_bn",
        "plain with it",
    ),
    Claim(
        "cifar_clean_rm",
        "mReLU-R-M is nearly as accurate as the plain network on clean CIFAR-10",
        f"error 21.7 % plain, 22.6 % mReLU-R-M, {WEIGHTS}",
        alone(
            "accuracy less that of plain, 10,000 images; no more than two points lower",
            _above("cifar_mrelu_rm"),
            above=-0.02,
        ),
        holds="It loses less than two points, or none.",
        fails="It loses more than two points.",
        open="The interval reaches from less than two points to more.",
    ),
    Claim(
        "cifar_adversarial",
        "Asked here: with adversarial training (-A) mReLU withstands more than ReLU on CIFAR-10",
        _NOT_THERE,
        alone(
            "`quick` and audit at 0.03, mReLU-A less plain-A; more",
            above("cifar_mrelu_a", "cifar_plain_a", _EPSILON),
        ),
        holds="It keeps more than the plain network trained the same way, which has batch "
        "normalisation, too.",
        fails="It keeps no more than the plain network trained the same way.",
    ),
)

"""What Zhao and Griffin (2016) claim of MNIST, and what decides about it.

Their table is not at hand; its numbers are those that the weights which they published give, by
their own attack: one step towards the most sensitive class, not cut off at 0 and 1.
"""

from robust_keras.studies.accuracies import accepted, less
from robust_keras.studies.study import Claim, Measure, alone, grouped
from robust_keras.studies.symmetric_cifar_claims import CIFAR_CLAIMS
from robust_keras.studies.symmetric_feature_claims import FEATURES
from robust_keras.studies.symmetric_gains import (
    ABOUT_TEN,
    ELEVEN,
    GAIN,
    WEIGHTS,
    gain,
    own_step,
    withstands,
)
from robust_keras.studies.symmetric_noise_claims import NOISE
from robust_keras.studies.symmetric_nonsense_claims import NONSENSE
from robust_keras.studies.symmetric_training_claims import TRAINING_CLAIMS

# At 0.1 the study's own step leaves a plain network of R-M too much for ten points more.
_FARTHER = 0.2


def _with_the_same(name, says, number, measures):
    return Claim(
        name,
        says,
        number,
        measures,
        holds="With the same training it keeps at least ten points more.",
        fails="With the same training the gain is less than ten points, or it is a loss.",
        open="With the same training the difference is about ten points.",
    )


def _plain_stronger(name, label, error, model):
    return Claim(
        name,
        f"Asked here: plain-R-M withstands more than {label}-R-M",
        f"the opposite: error at 0.1: 30.9 % plain-R-M, {error} % {label}-R-M, {WEIGHTS}",
        gain("plain_rm", model, 0.1),
        holds="With the same training a longer attack leaves the plain network at least ten "
        "points more.",
        fails="With the same training a longer attack does not leave the plain network ten points "
        "more.",
        open=ABOUT_TEN,
    )


_GAINS = (
    withstands(
        "one_step",
        "mReLU-R-M withstands adversarial examples that break the plain network",
        f"error at 0.2: 98.5 % plain, 7.6 % mReLU-R-M, {WEIGHTS}",
        gain("mrelu_rm", "plain", 0.2),
    ),
    Claim(
        "small_epsilon",
        "The same at small strengths",
        f"error at 0.05: 24.4 % plain, 3.1 % mReLU-R-M, {WEIGHTS}",
        gain("mrelu_rm", "plain", 0.05),
        holds="At a small epsilon ten points and more are left of it.",
        fails="At a small epsilon, too, it does not keep ten points more. Where plain loses only "
        "a few points (under the study's own step: see the curves), nothing could.",
        open=ABOUT_TEN,
    ),
    _with_the_same(
        "better_than_rm",
        "mReLU adds to what noise and nonsense in training (R-M) do for a plain network",
        "error at 0.2: 81.0 % plain-R-M, 7.6 % mReLU-R-M; at 0.1: 30.9 % and 4.2 %, " + WEIGHTS,
        (
            own_step("mrelu_rm", "plain_rm", _FARTHER),
            *gain("mrelu_rm", "plain_rm", 0.1),
        ),
    ),
    _with_the_same(
        "accepted_better_than_rm",
        "Asked here: the same where an answer of nonsense to an attacked digit is no error",
        "not measured there",
        alone(
            "every attack, `apgd_accepted` and audit at 0.1; ten points more",
            less(accepted("mrelu_rm", 0.1), accepted("plain_rm", 0.1)),
            GAIN,
        ),
    ),
    _with_the_same(
        "rbf_better_than_rm",
        "RBF adds to what R-M does for a plain network",
        "error at 0.2: 81.0 % plain-R-M, 15.8 % RBF-R-M; at 0.1: 30.9 % and 6.3 %, " + WEIGHTS,
        (
            own_step("rbf_rm", "plain_rm", _FARTHER),
            *gain("rbf_rm", "plain_rm", 0.1),
        ),
    ),
    _plain_stronger("plain_stronger", "mReLU", 4.2, "mrelu_rm"),
    _plain_stronger("plain_stronger_than_rbf", "RBF", 6.3, "rbf_rm"),
    _with_the_same(
        "better_than_r",
        "Asked here: mReLU adds to what R alone does for a plain network",
        "not measured there",
        gain("mrelu_r", "plain_r", 0.1),
    ),
    withstands(
        "alone",
        "mReLU alone, without noise and nonsense, withstands more than the plain network",
        f"error at 0.2: 98.5 % plain, 41.0 % mReLU {ELEVEN}, {WEIGHTS}",
        gain("mrelu", "plain", 0.2),
    ),
    withstands(
        "rbf_alone",
        "RBF alone, without noise and nonsense, withstands more than the plain network",
        f"error at 0.2: 98.5 % plain, 50.0 % RBF, {WEIGHTS}",
        gain("rbf", "plain", 0.2),
    ),
    withstands(
        "rbf",
        "RBF-R-M withstands more than the plain network",
        f"error at 0.2: 98.5 % plain, 15.8 % RBF-R-M, {WEIGHTS}",
        gain("rbf_rm", "plain", 0.2),
    ),
    Claim(
        "best",
        "mReLU-R-M withstands more than RBF-R-M",
        "error at 0.2: 15.8 % RBF-R-M, 7.6 % mReLU-R-M; at 0.1: 6.3 % and 4.2 %, " + WEIGHTS,
        (
            own_step("mrelu_rm", "rbf_rm", _FARTHER, 0.0, "more"),
            *gain("mrelu_rm", "rbf_rm", 0.1, 0.0, "more"),
        ),
        holds="A longer attack, too, leaves it more.",
        fails="A longer attack leaves it no more.",
    ),
)
_MNIST = (
    Claim(
        "clean",
        "mReLU-R-M is nearly as accurate as the plain network on clean digits",
        f"error 0.87 % plain, 1.44 % mReLU-R-M, {WEIGHTS}",
        alone(
            "accuracy less that of plain, 10,000 images; no more than two points lower",
            lambda of: of.trained("mrelu_rm") - of.trained("plain"),
            above=-0.02,
        ),
        holds="It loses less than two points.",
        fails="It loses more than two points.",
        open="What it loses is near two points.",
    ),
    *_GAINS,
)
_REJECTED = Claim(
    "rejected",
    "Asked here: what fools mReLU-R-M is at least rejected as nonsense",
    "not measured there",
    tuple(
        Measure(
            f"every attack, `apgd_accepted` and audit at {epsilon:g}; half of the digits left",
            accepted("mrelu_rm", epsilon),
            0.5,
        )
        for epsilon in (0.1, 0.2)
    ),
    holds="For most digits no attack finds a wrong answer that is accepted.",
    fails="For most digits an attack finds a wrong answer that is accepted.",
    open="Whether for half of the digits, the interval does not tell.",
)

CLAIMS = (
    *grouped("MNIST: the units", _MNIST),
    *grouped("MNIST: the training", TRAINING_CLAIMS),
    *grouped("CIFAR-10", CIFAR_CLAIMS),
    *grouped("Noise", NOISE),
    *grouped("Nonsense", (_REJECTED, *NONSENSE)),
    *grouped("Features", FEATURES),
)

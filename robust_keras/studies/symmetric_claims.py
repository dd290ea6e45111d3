"""What Zhao and Griffin (2016) claim of MNIST, and what decides about it.

Their table is not at hand; its numbers are those that the weights which they published give, by
their own attack: one step towards the most sensitive class, not cut off at 0 and 1.
"""

from robust_keras.studies.accuracies import above, accepted, less
from robust_keras.studies.study import Claim, Measure, alone
from robust_keras.studies.symmetric_cifar_claims import CIFAR_CLAIMS
from robust_keras.studies.symmetric_gains import ABOUT_TEN, GAIN, WEIGHTS, gain, withstands
from robust_keras.studies.symmetric_nonsense_claims import NONSENSE_CLAIMS


def _with_the_same(name, says, number, measures):
    return Claim(
        name,
        says,
        number,
        measures,
        holds="With the same training it keeps at least ten points more.",
        fails="With the same training the gain is less than ten points, or none.",
        open="With the same training the difference is about ten points.",
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
        fails="At a small epsilon, too, it keeps less than ten points more, or fewer than plain.",
        open=ABOUT_TEN,
    ),
    _with_the_same(
        "better_than_rm",
        "mReLU adds to what noise and nonsense in training (R-M) do for a plain network",
        f"error at 0.1: 30.9 % plain-R-M, 4.2 % mReLU-R-M, {WEIGHTS}",
        gain("mrelu_rm", "plain_rm", 0.1),
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
        f"error at 0.1: 30.9 % plain-R-M, 6.3 % RBF-R-M, {WEIGHTS}",
        gain("rbf_rm", "plain_rm", 0.1),
    ),
    _with_the_same(
        "better_than_r",
        "Asked here: mReLU adds to what R alone does for a plain network",
        "not measured there",
        gain("mrelu_r", "plain_r", 0.1),
    ),
    withstands(
        "alone",
        "mReLU alone, without noise and nonsense, withstands more than the plain network",
        f"error at 0.2: 98.5 % plain, 41.0 % mReLU, {WEIGHTS}",
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
        f"error at 0.1: 6.3 % RBF-R-M, 4.2 % mReLU-R-M, {WEIGHTS}",
        gain("mrelu_rm", "rbf_rm", 0.1, 0.0, "more"),
        holds="A longer attack, too, leaves it more.",
        fails="A longer attack leaves it no more.",
    ),
)
_TRAINING = (
    Claim(
        "random_adversarial",
        "Random training (R) helps against adversarial examples",
        f"error at 0.1: 81.2 % plain, 30.9 % plain-R-M (none of plain-R), {WEIGHTS}",
        gain("plain_r", "plain", 0.1),
        holds="Plain-R keeps ten points more, or above, at this epsilon; the table has 0.2.",
        fails="What noise in training gains against one step, a longer attack takes.",
        open="The gain is about ten points.",
    ),
    Claim(
        "random_not_mean",
        "Asked here: it is R that helps and not M: plain-R withstands more than plain-M",
        "not measured there",
        gain("plain_r", "plain_m", 0.1),
        holds="Plain-R keeps ten points more than plain-M, or above.",
        fails="It keeps less than ten points more than plain-M, or fewer.",
        open="The difference is about ten points.",
    ),
    Claim(
        "sgd",
        "Symmetric networks train by SGD with batch normalisation, without pre-training",
        f"clean error 1.05 % mReLU, {WEIGHTS}",
        alone(
            "clean accuracy of mReLU by SGD with momentum, 10,000 images; above 95 %",
            lambda of: of.trained("mrelu_sgd"),
            above=0.95,
        ),
        holds="It trains; what it does without batch normalisation is not measured.",
        fails="It stays below 95 %.",
        open="It comes near 95 %.",
    ),
    *(
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
    ),
)

CLAIMS = (
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
        fails="After so few epochs it loses more than two points.",
        open="What it loses is near two points.",
    ),
    *_GAINS,
    *_TRAINING,
    *CIFAR_CLAIMS,
    Claim(
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
    ),
    *NONSENSE_CLAIMS,
)

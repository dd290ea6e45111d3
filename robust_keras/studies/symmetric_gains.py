"""How much more than another a symmetric network withstands, as its claims measure it."""

from robust_keras.studies import curves
from robust_keras.studies.accuracies import above, gains, less
from robust_keras.studies.study import Claim, Measure

WEIGHTS = "by the published weights"
# What is odd about the published mReLU for MNIST.
ELEVEN = "(its file has eleven outputs)"
# What counts as withstanding more; most gains of the source are larger.
GAIN = 0.1
ABOUT_TEN = "What a longer attack leaves differs by about ten points."
_OWN = "adversarial"


def gain(
    better: str, worse: str, epsilon: float, least: float = GAIN, bound: str = "ten points more"
) -> tuple[Measure, ...]:
    """By how much a network is above another: by the study's own step, one step, everything.

    Args:
        better: name of a network.
        worse: name of the other.
        epsilon: of the attacks.
        least: `Measure.above`.
        bound: `least` in words.
    """
    return (
        own_step(better, worse, epsilon, least, bound),
        *gains(better, worse, epsilon, least, step="one step", bound=bound),
    )


def own_step(
    better: str, worse: str, epsilon: float, least: float = GAIN, bound: str = "ten points more"
) -> Measure:
    """By how much a network is above another by the study's own step alone; see `gain`."""
    told = f"the study's own step at {epsilon:g}; {bound}"
    return Measure(told, _own(better, worse, epsilon), least)


def withstands(
    name: str,
    says: str,
    number: str,
    measures: tuple[Measure, ...],
    whom: str = "the plain network",
) -> Claim:
    """The claim that a network withstands more than another.

    Args:
        name: see `Claim`.
        says: see `Claim`.
        number: see `Claim`.
        measures: of `gain`.
        whom: the other, in words.
    """
    return Claim(
        name,
        says,
        number,
        measures,
        holds="A longer attack, too, leaves it at least ten points more.",
        fails=f"A longer attack leaves it less than ten points more than {whom}.",
        open=ABOUT_TEN,
    )


def smaller(pair: tuple[str, str, float], other: tuple[str, str, float]) -> tuple[Measure, ...]:
    """By how much one gain is above another, under the study's own step and under everything.

    Args:
        pair: names of two networks, as for `gain`, and the epsilon, of the larger gain.
        other: the same of the smaller one, on other images.
    """
    return (
        Measure("the study's own step; ten points less", less(_own(*pair), _own(*other)), GAIN),
        Measure("`quick` and audit; ten points less", less(above(*pair), above(*other)), GAIN),
    )


def _own(better, worse, epsilon):
    return less(curves.share(better, _OWN, epsilon), curves.share(worse, _OWN, epsilon))

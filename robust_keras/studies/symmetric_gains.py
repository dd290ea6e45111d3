"""How much more than another a symmetric network withstands, as its claims measure it."""

from robust_keras.studies import curves
from robust_keras.studies.accuracies import gains, less, over_epsilon
from robust_keras.studies.study import Measure

WEIGHTS = "by the published weights"
# What counts as withstanding more; the source's gains are twenty points and more.
GAIN = 0.1
_OWN = "adversarial"


def gain(
    better: str, worse: str, epsilon: float, above: float = GAIN, bound: str = "ten points more"
) -> tuple[Measure, ...]:
    """By how much a network is above another: under the study's own step, one step, everything.

    Args:
        better: name of a network.
        worse: name of the other.
        epsilon: of the attacks.
        above: see `Measure`.
        bound: `above` in words.
    """
    return (
        Measure(
            f"the study's own step at {epsilon:g}; {bound}", _own(better, worse, epsilon), above
        ),
        *gains(better, worse, epsilon, above, step="one step", bound=bound),
    )


def smaller(pair: tuple[str, str, float], other: tuple[str, str, float]) -> tuple[Measure, ...]:
    """By how much one gain is above another, under the study's own step and under everything.

    Args:
        pair: names of two networks, as for `gain`, and the epsilon, of the larger gain.
        other: the same of the smaller one, on other images.
    """
    return (
        Measure("the study's own step; ten points less", less(_own(*pair), _own(*other)), GAIN),
        Measure("`quick` and audit; ten points less", less(_all(*pair), _all(*other)), GAIN),
    )


def _own(better, worse, epsilon):
    return less(curves.share(better, _OWN, epsilon), curves.share(worse, _OWN, epsilon))


def _all(better, worse, epsilon):
    return less(over_epsilon(better)(epsilon), over_epsilon(worse)(epsilon))

"""Accuracies as claims and figures ask for them: over epsilon, and of one network above another."""

from collections.abc import Callable

from robust_keras.studies.study import Measure, Value


def over_epsilon(model: str, attack: str | None = None) -> Callable[[float], Value]:
    """What is left of a model at each epsilon; at 0 its clean accuracy.

    Args:
        model: name of a run.
        attack: which attack's; None for the worst case.
    """

    def at(epsilon):
        if not epsilon:
            return lambda of: of.clean(model)
        if attack is None:
            return lambda of: of.worst(model, epsilon)
        return lambda of: of.robust(model, attack, epsilon)

    return at


def accepted(model: str, epsilon: float) -> Value:
    """What is left of a model at an epsilon where a wrong answer counts only if it is accepted.

    Args:
        model: name of a run.
        epsilon: of its attacks.
    """
    return lambda of: of.accepted_worst(model, epsilon)


def less(higher: Value, lower: Value) -> Value:
    """Gives one value less another, image by image."""
    return lambda of: higher(of) - lower(of)


def above(better: str, worse: str, epsilon: float, attack: str | None = None) -> Value:
    """Gives what is left of one model less what is left of another; see `over_epsilon`."""
    return less(over_epsilon(better, attack)(epsilon), over_epsilon(worse, attack)(epsilon))


def gains(
    better: str, worse: str, epsilon: float, least: float, *, step: str, bound: str
) -> tuple[Measure, Measure]:
    """By how much one network is above another: under FGSM first, then under everything.

    Args:
        better: name of a run.
        worse: name of the other.
        epsilon: of the attacks.
        least: `Measure.above`.
        step: what FGSM is called.
        bound: `least` in words.
    """
    return (
        Measure(
            f"{step} at {epsilon:.3g}; {bound}",
            above(better, worse, epsilon, "fgsm"),
            least,
        ),
        Measure(
            f"`quick` and audit at {epsilon:.3g}; {bound}",
            above(better, worse, epsilon),
            least,
        ),
    )

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


def gains(
    better: str, worse: str, epsilon: float, above: float, *, step: str, bound: str
) -> tuple[Measure, Measure]:
    """By how much one network is above another: under FGSM first, then under everything.

    Args:
        better: name of a run.
        worse: name of the other.
        epsilon: of the attacks.
        above: see `Measure`.
        step: what FGSM is called.
        bound: `above` in words.
    """
    return (
        Measure(
            f"{step} at {epsilon:.3g}; {bound}",
            less(over_epsilon(better, "fgsm")(epsilon), over_epsilon(worse, "fgsm")(epsilon)),
            above,
        ),
        Measure(
            f"`quick` and audit at {epsilon:.3g}; {bound}",
            less(over_epsilon(better)(epsilon), over_epsilon(worse)(epsilon)),
            above,
        ),
    )

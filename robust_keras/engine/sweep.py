"""In which order an attack is tried at several epsilons."""

from collections.abc import Sequence

from robust_keras.attacks.attack import Attack
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.bisection import Bisection
from robust_keras.engine.stage_run import StageRun

_BISECTED = ("iterative", "score", "decision")


def every(runs: Sequence[StageRun]) -> None:
    """All stages at one epsilon after the other, from the smallest on, on what is left there.

    Args:
        runs: `StageRun`s of one attack, in their order.
    """
    epsilons = runs[0].epsilons if runs else ()
    for row, epsilon in enumerate(epsilons):
        for run in runs:
            if epsilon > 0.0:
                _everywhere(run, row)
            run.note(row)


def bisection(runs: Sequence[StageRun]) -> None:
    """One stage after the other, each looking for the smallest epsilon of every image.

    Noise and attacks of a single step are tried at every epsilon all the same: they cost little,
    and what a larger ball leaves of them says nothing about a smaller one. An attack that is made
    once for all epsilons has nothing to search for.

    Args:
        runs: `StageRun`s of one attack, in their order.
    """
    for run in runs:
        if is_bisected(run.stage):
            with run.clock():
                Bisection(run).search()
            for row in range(len(run.epsilons)):
                run.note(row)
        else:
            every([run])


def is_bisected(stage: Attack) -> bool:
    """Whether `bisection` searches for each image's epsilon with this attack."""
    return stage.kind in _BISECTED and not stage.any_epsilon


def sweep_of(attack: Attack, threat_model: ThreatModel, asked: str) -> str:
    """The key of `SWEEPS` by which an attack goes through the epsilons.

    Args:
        attack: `Attack`.
        threat_model: `ThreatModel`.
        asked: the key that was asked for.
    """
    several = sum(epsilon > 0.0 for epsilon in threat_model.epsilons) > 1
    return "bisection" if attack.bisects and several else asked


def parts(
    attack: Attack, threat_model: ThreatModel, sweep: str
) -> list[tuple[str, Attack, float | None]]:
    """What an attack goes through, in this order, without what epsilon 0 is spared.

    Args:
        attack: `Attack`.
        threat_model: `ThreatModel`.
        sweep: key of `SWEEPS` that was asked for.

    Returns:
        List of tuples (title, stage, epsilon), the last None for a search over all epsilons.
    """
    epsilons = [epsilon for epsilon in threat_model.epsilons if epsilon > 0.0]
    stages = attack.stages(threat_model.norm)
    pairs: list[tuple[Attack, float | None]]
    if sweep_of(attack, threat_model, sweep) == "every":
        pairs = [(stage, epsilon) for epsilon in epsilons for stage in stages]
    else:
        searched: list[Sequence[float | None]] = [
            [None] if is_bisected(stage) else epsilons for stage in stages
        ]
        pairs = [
            (stage, epsilon)
            for stage, where in zip(stages, searched, strict=True)
            for epsilon in where
        ]
    return [(stage_title(attack, stage), stage, epsilon) for stage, epsilon in pairs]


def stage_title(attack: Attack, stage: Attack) -> str:
    """What people are shown while one attack of a cascade, or an attack by itself, runs."""
    return attack.name if stage is attack else f"{attack.name}: {stage.name}"


def _everywhere(run, row):
    with run.clock():
        for batch in run.tries(row, run.robust[:, row] & ~run.subject.proved[row]):
            run.report(row, batch.done, batch.total)


SWEEPS = {"every": every, "bisection": bisection}

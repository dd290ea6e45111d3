"""What the stages of an attack cost and left, as it is counted while they run."""

import contextlib
import time

import numpy as np

from robust_keras.engine.results import AttackResult, StageResult
from robust_keras.strength import without_parts


class Tally:
    """The account of one stage.

    Args:
        stage: the `Attack`.
        skipped: why it cannot run, or None.
        epsilons: number of epsilons.

    Attributes:
        passes: int array: backward and forward passes so far.
        accuracy: what it left at each epsilon, shares of all images.
    """

    def __init__(self, stage, skipped, epsilons):
        self.stage = stage
        self.skipped = skipped
        self.seconds = 0.0
        self.passes = np.zeros(2, int)
        self.accuracy = [float("nan")] * epsilons

    @contextlib.contextmanager
    def clock(self, now=time.monotonic):
        """Adds the time that is spent within, by the clock `now`."""
        start = now()
        yield
        self.seconds += now() - start

    def result(self):
        """The `StageResult`."""
        accuracy = () if self.skipped else tuple(self.accuracy)
        passes = (int(count) for count in self.passes)
        return StageResult(self.stage.name, accuracy, self.seconds, *passes, self.skipped)


def attack_result(attack, tallies, robust, robust_with_rejection=None):
    """The `AttackResult` of all stages together.

    Args:
        attack: the `Attack`.
        tallies: a `Tally` a stage. The attack did not run only if none of them did.
        robust: bool array (epsilons, images), what they left.
        robust_with_rejection: the same where what is rejected does not count, or None.
    """
    stages = tuple(tally.result() for tally in tallies)
    reasons = [stage.skipped for stage in stages]
    return AttackResult(
        name=attack.name,
        kind=attack.kind,
        strength=without_parts(attack.strength) if any(reasons) else attack.strength,
        settings=attack.settings(),
        robust=robust,
        seconds=sum(stage.seconds for stage in stages),
        gradient_evaluations=sum(stage.gradient_evaluations for stage in stages),
        forward_evaluations=sum(stage.forward_evaluations for stage in stages),
        skipped=reasons[0] if all(reasons) else None,
        robust_with_rejection=robust_with_rejection,
        stages=stages if attack.cascade else (),
    )

"""PGD on slopes that an evolution strategy estimates: what breaks k-winners-take-all."""

import dataclasses
import math
import typing

from robust_keras.attacks.attack import QuerySearch, require, require_number, require_whole
from robust_keras.attacks.loops.directions import steepest
from robust_keras.attacks.loops.estimation import Gate, climb
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task

# After so many steps the samples of a step grow, and once more after as many again.
_PHASE = 20
# After so many the hopeless images are given up, if any are.
_GATE = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvolutionPGD(QuerySearch):
    """PGD whose gradient of the margin is estimated by evolution strategies.

    Where a model is discontinuous everywhere, as with k-winners-take-all, its gradient says nothing
    about what happens a little further away. Mean differences over a neighbourhood do.

    Formula: `x_(k+1) = P(x_k + step epsilon d(g_k))` from a random point of the ball, P the
    projection, d the sign (linf) or g / norm(g) (l2), g_k as in `estimation.SlopeEstimator` with
    normal u_i of standard deviation `width epsilon` a pixel, in l2 over sqrt(d), d the number of
    pixels and channels. The first 20 steps take `samples` forward passes each, the next 20 `growth`
    times as many, and all further ones `growth` times as many again.

    Args:
        queries: forward passes an image, at most.
        samples: forward passes for one of the first estimates, an even number >= 2.
        growth: how many times more later ones take, >= 1. Published: 10, then 20.
        width: size of the probing steps in units of epsilon, in (0, 10]. Published: 1; on a LeNet-5
            with kWTA half of it broke 6 of 50 images more, and a quarter 2 fewer.
        step: length of a step in units of epsilon, in (0, 1].
        near: after the first ten steps an image is given up unless its label's lead has fallen to
            this share of its lead on the clean image, in (0, 1]; None gives up none.

    Raises:
        ValueError: a setting is out of range, or the queries do not suffice for one step.

    Reference: Tramer et al., "On Adaptive Attacks to Adversarial Example Defenses", 2020,
    arXiv 2002.08347.

    Example:
        >>> EvolutionPGD(queries=5000).settings()
        {'queries': 5000, 'samples': 100, 'growth': 10, 'width': 0.5, 'step': 0.25, 'near': None}
    """

    name: typing.ClassVar[str] = "es_pgd"
    kind: typing.ClassVar[str] = "score"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True

    queries: int = 20_000
    samples: int = 100
    growth: int = 10
    width: float = 0.5
    step: float = 0.25
    near: float | None = None

    def __post_init__(self):
        require_whole("samples", self.samples, minimum=2)
        require(self.samples % 2 == 0, "samples", "an even number", self.samples)
        require_whole("queries", self.queries, minimum=self.samples + 1 + self._besides)
        require_whole("growth", self.growth)
        require_number("width", self.width, maximum=10.0, above=True)
        require_number("step", self.step, maximum=1.0, above=True)
        if self.near is not None:
            require_number("near", self.near, maximum=1.0, above=True)

    def attack(self, task: Task) -> Proposal:
        """Moves the images up the margin; see `Attack.propose`."""

        def move(rows, slopes):
            return self.step * task.epsilon * steepest(slopes, task.norm)

        width = self.width * task.epsilon
        if task.norm == "l2":
            width /= math.sqrt(math.prod(task.image_shape))
        plan = [(samples // 2, width) for samples in self.schedule()]
        gate = None if self.near is None else Gate(_GATE, self.near)
        return climb(task, plan=plan, kind="normal", move=move, gate=gate)

    def schedule(self) -> list[int]:
        """Forward passes for the estimate of each step, as many steps as the queries suffice for.

        Example:
            >>> len(EvolutionPGD().schedule()), EvolutionPGD().schedule()[::20]
            (37, [100, 1000])
        """
        # One more pass a step is for the point it leads to.
        remaining, steps = self.queries - self._besides, list[int]()
        while True:
            samples = self.samples * self.growth ** min(len(steps) // _PHASE, 2)
            remaining -= samples + 1
            if remaining < 0:
                return steps
            steps.append(samples)

    @property
    def _besides(self):
        """Passes for the random start, and for the two leads that are compared."""
        return 1 if self.near is None else 3

"""PGD on the margin that jumps: a short random search between its climbs, from the best point."""

import dataclasses
import typing

import numpy as np

from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.search import Plan, Search
from robust_keras.attacks.loops.targets import leads
from robust_keras.attacks.loops.task import Task
from robust_keras.attacks.square import Square
from robust_keras.strength import SCALE_FREE, of_steps

# Steps of climbs after a jump, which stay near, begin at this share of epsilon; all end at that.
_NEAR, _LAST_STEP = 0.1, 0.001


@dataclasses.dataclass(frozen=True, kw_only=True)
class JumpingPGD(Attack):
    """Climbs the margin from Square's stripes, and in turn jumps by Square's moves and climbs on.

    Networks that were trained against gradients can end every climb a little below the boundary.
    Random squares from there find in a few hundred queries what takes them thousands from the
    beginning, and what neither finds alone.

    Formula: as `NearestPGD` without targets, from the start of `Square`; then `jumps` times
    `queries` of its squares from the best point so far, and a climb from the best of these.

    Args:
        steps: of each climb, >= 1.
        jumps: searches, each followed by a climb, after the first climb, >= 0.
        queries: of each jump, >= 1.
        share: share of the pixels in the first squares of a jump, in (0, 1].
        near: it jumps where the first climb brought the label's lead down to this share of its lead
            on the clean image, in [0, 1]; 1 for everywhere.

    Raises:
        ValueError: a setting is out of range.

    References: the squares: Andriushchenko et al., 2020, arXiv 1912.00049; the falling steps: Liu
    et al., 2022, arXiv 2203.05154. To alternate them is ours.

    Example:
        >>> JumpingPGD(jumps=2).settings()
        {'steps': 25, 'jumps': 2, 'queries': 100, 'share': 0.1, 'near': 0.4}
    """

    name: typing.ClassVar[str] = "jumping_pgd"
    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    loss: typing.ClassVar[str] = "margin"

    steps: int = 25
    jumps: int = 3
    queries: int = 100
    share: float = 0.1
    near: float = 0.4

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("jumps", self.jumps, minimum=0)
        require_whole("queries", self.queries)
        require_number("share", self.share, maximum=1.0, above=True)
        require_number("near", self.near, maximum=1.0)

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps, strong=SCALE_FREE)

    @property
    def gradient_evaluations(self) -> int:
        """One a step and one at the start, for every climb."""
        return (self.jumps + 1) * (self.steps + 1)

    @property
    def forward_evaluations(self) -> int:
        """The queries, one for the lead on the clean image, and one for the candidate."""
        return 2 + self.jumps * self.queries

    def usual_passes(self, image_shape: tuple[int, ...]) -> tuple[int, int]:
        """Few images come so near to falling that it jumps."""
        return self.steps + 1, 2

    def plan(self) -> Plan:
        """The step sizes of the first climb, a `Plan`."""
        return Plan(first_step=1.0, last_step=_LAST_STEP)

    def attack(self, task: Task) -> Proposal:
        """Climbs and jumps in turn; see `Attack.propose`."""
        search = Search(self, task)
        closest = search.run(task.labels, starts=Square.first(task))
        near = ~search.fooled & ~(closest < -self.near * leads(task))
        found, rows = search.proposal(forwards=1), np.flatnonzero(near)
        if len(rows):
            jumped = self._jump(task.of(rows), found.images[rows])
            found.images[rows] = jumped.images
            found.gradient_evaluations[rows] += jumped.gradient_evaluations
            found.forward_evaluations[rows] += jumped.forward_evaluations
        return found

    def _jump(self, task, points):
        """A `Proposal` of the jumps and the climbs after them, from images within the ball on."""
        search, squares = Search(self, task), Square(queries=self.queries, share=self.share)
        near, forwards = _Near(self.steps), np.zeros(len(points), int)
        for _ in range(self.jumps):
            jumped = squares.search_from(task, points)
            forwards += np.where(search.fooled, 0, jumped.forward_evaluations)
            search.run(task.labels, attack=near, starts=jumped.images)
            points = search.adversarial
        return search.proposal(forwards=forwards)


@dataclasses.dataclass(frozen=True)
class _Near:
    """A climb that stays near where it begins."""

    loss: typing.ClassVar[str] = "margin"

    steps: int

    def plan(self):
        """See `JumpingPGD.plan`."""
        return Plan(first_step=_NEAR, last_step=_LAST_STEP)

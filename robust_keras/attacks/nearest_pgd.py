"""PGD begun towards the classes whose boundaries are nearest, one after the other."""

import dataclasses
import itertools
import typing

import numpy as np

from robust_keras.attacks.apgd import APGD, APGDTargeted
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.batches import padded_places
from robust_keras.attacks.loops.linear_distances import Nearest, nearest_others
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.search import Plan, Search
from robust_keras.attacks.loops.targets import leads
from robust_keras.attacks.loops.task import Task
from robust_keras.strength import SCALE_FREE, of_steps

# Linearised boundaries that are compared: all of them, up to ten classes.
_CANDIDATES = 9
# Steps towards the class, or a fifth of the steps if that is less.
_AIMED = 5
# A short try costs a quarter of a long one, and so repays it for images that are farther away.
_SHORT = 1.6
# The tries of images that came near are so many times as long.
_LONGER = 4
# The step sizes end at this share of epsilon.
_LAST_STEP = 0.001
# What these tries climb, and towards which of the classes in the order in which the short ones came
# near, in turn: the order that benchmarks/learn_cascade.py learnt.
_EVEN, _AIM, _RATIO = "even_cross_entropy", "aimed_margin", "targeted_dlr"
_AGAIN = (
    *((_EVEN, 0), (_AIM, 0), (_AIM, 1), (_EVEN, 0), (_AIM, 3), (_AIM, 0), (_RATIO, 0), (_EVEN, 0)),
    *((_AIM, 0), (_AIM, 1), (_AIM, 0), (_AIM, 2), (_RATIO, 0), (_AIM, 2), (_AIM, 3), (_RATIO, 0)),
)


class Came(typing.NamedTuple):
    """How near the short tries came.

    `share` float (batch,), what is left of the label's lead on the clean image, NaN where it is
    unknown; `towards` int (targets, batch), the classes whose tries came nearest first.
    """

    share: np.ndarray
    towards: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class NearestPGD(Attack):
    """Projected gradient steps that begin towards a class and then climb the margin.

    Each try begins at a random point of the ball and goes towards one class for five steps, then
    wherever another class comes closest. The classes are those whose boundaries are
    nearest to the clean image if the logits are linear, which the largest logits often are not.
    The nearer an image came to falling, by what is left of the label's lead, the more tries it
    gets, short ones and then longer ones; others would not repay them. Some of the long ones are
    APGD on a cross-entropy or towards a class, since what one loss misses another may find. No
    scale of the logits changes any of it.

    Formula: classes k in the order of `(z_y - z_k) / norm_q(grad(z_y - z_k))` at the clean image,
    q = 1 (linf) or 2 (l2); `x_(i+1) = P(x_i + s_i d(g_i))`, P the projection, d(g) the sign of g
    (linf) or g / norm(g) (l2), g the gradient of `losses.aimed_margin`; s_i is epsilon while there
    is an aim and falls by half a cosine wave to epsilon / 1000 after it. Long tries take these
    steps and, in turn, those of `APGD` on `losses.even_cross_entropy` and `losses.targeted_dlr`.
    The n-th try after the first short one follows where the least lead so far is at most
    `1.6 near / n` of the lead on the clean image, the n-th long one where it is at most `near / n`.

    Args:
        steps: of each short try, >= 1; of each long one four times as many.
        targets: number of short tries at most, >= 1; a model with fewer other classes gets several
            towards each.
        again: number of long tries at most, towards the classes whose short ones came nearest,
            >= 0.
        near: share of the lead, in [0, 1], as above.

    Raises:
        ValueError: a setting is out of range.

    References: the order: Melamed, Sadon and Shamir, "MALT Powers Up Adversarial Attacks", 2024,
    arXiv 2407.02240; starts along logits and the falling steps: Liu et al., "Practical Evaluation
    of Adversarial Robustness via Adaptive Auto Attack", 2022, arXiv 2203.05154.

    Example:
        >>> NearestPGD(targets=3).settings()
        {'steps': 25, 'targets': 3, 'again': 30, 'near': 0.25}
    """

    name: typing.ClassVar[str] = "nearest_pgd"
    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    loss: typing.ClassVar[str] = "aimed_margin"

    steps: int = 25
    targets: int = 5
    again: int = 30
    near: float = 0.25

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("targets", self.targets)
        require_whole("again", self.again, minimum=0)
        require_number("near", self.near, maximum=1.0)

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps, strong=SCALE_FREE)

    @property
    def gradient_evaluations(self) -> int:
        """One a class that is compared; one a step and one at the start, for every try."""
        tries = self.targets * (self.steps + 1) + self.again * (_LONGER * self.steps + 1)
        return self._candidates + tries

    @property
    def forward_evaluations(self) -> int:
        """Two for the order, one for the candidate, one for what batches of long tries came to."""
        return 3 + sum(loss == _EVEN for loss, *_ in _together(self.again))

    def usual_passes(self, image_shape: tuple[int, ...]) -> tuple[int, int]:
        """As if each image had two short tries and a long one: a few come near and have many."""
        again = (_LONGER * self.steps + 1) if self.again else 0
        short = self._candidates + min(self.targets, 2) * (self.steps + 1)
        return short + again, 3

    @property
    def _candidates(self):
        return max(_CANDIDATES, self.targets)

    def plan(self) -> Plan:
        """The step sizes, a `Plan`."""
        return Plan(first_step=1.0, last_step=_LAST_STEP, aimed=min(_AIMED, self.steps // 5))

    def start(
        self, generator: np.random.Generator, shape: tuple[int, ...], epsilon: float, norm: str
    ) -> np.ndarray:
        """Where an image begins: a random point of the ball."""
        return uniform_in_ball([generator], shape, epsilon, norm)[0]

    def attack(self, task: Task) -> Proposal:
        """Moves the images towards one class after the other; see `Attack.propose`."""
        search = Search(self, task)
        nearest = nearest_others(task, self.targets, self._candidates)
        share, towards = self.short_tries(search, nearest)
        forwards = np.full(len(share), 2)
        for loss, numbers, ranks in _together(self.again):
            among = ~(share > self.long_share(numbers)[:, np.newaxis])
            aims = towards[np.minimum(ranks, len(towards) - 1)]
            closest = search.run(aims, attack=self.long_try(loss), among=among).max(axis=0)
            if loss == _EVEN:
                closest = _margins(task, search, np.isfinite(closest))
                forwards += np.isfinite(closest)
            if loss != _RATIO:
                share = np.minimum(share, _of_lead(-closest, nearest))
        return search.proposal(forwards=forwards, gradients=nearest.gradients)

    def short_tries(self, search: Search, nearest: Nearest) -> Came:
        """Tries of `steps` steps towards each target: how near they `Came`."""
        targets = np.resize(nearest.targets, (self.targets, len(nearest.lead)))
        closest, share = np.full(targets.shape, -np.inf), np.full(len(nearest.lead), np.nan)
        for number, target in enumerate(targets):
            among = ~(share > self.short_share(number))
            closest[number] = search.run(target, among=among)
            share = _of_lead(-closest.max(axis=0), nearest)
        order = np.argsort(-closest, axis=0, kind="stable")
        return Came(share, np.take_along_axis(targets, order, axis=0))

    def short_share(self, number: int) -> float:
        """Up to which share of the lead a short try follows on so many, see above."""
        return _SHORT * self.near / max(number, 1)

    def long_share(self, number: np.ndarray) -> np.ndarray:
        """Up to which share of the lead a long try follows on so many, see above."""
        return self.near / (1.0 + number)

    def long_try(self, loss: str) -> Attack:
        """The attack whose steps a long try takes, by its loss."""
        steps = _LONGER * self.steps
        if loss == self.loss:
            return dataclasses.replace(self, steps=steps)
        return (APGDTargeted if loss == APGDTargeted.loss else _EvenAPGD)(steps=steps)


def _of_lead(left, nearest):
    """What is left of the lead as a share of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return left / nearest.lead


def _margins(task, search, tried):
    """The margins at the best points of images that stand after a try, elsewhere -inf."""
    margins, rows = np.full(len(tried), -np.inf), np.flatnonzero(tried & ~search.fooled)
    if len(rows):
        places = padded_places(rows, len(tried))
        margins[rows] = -leads(task.of(places), search.adversarial[places])[: len(rows)]
    return margins


def _together(again):
    """The long tries in their order, as `(loss, numbers, ranks)` of those that go in one batch.

    After each there are as many more as there were, and of these the ones of a loss go together:
    few images come near, and batches of few take nearly as long as larger ones.
    """
    found = dict[tuple, list]()
    for number, (loss, rank) in zip(range(again), itertools.cycle(_AGAIN)):
        found.setdefault((number.bit_length(), loss), []).append((number, rank))
    return [(loss, *np.transpose(tries)) for (_, loss), tries in found.items()]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _EvenAPGD(APGD):
    """APGD on a cross-entropy that no scale of the logits blinds."""

    name: typing.ClassVar[str] = "even_apgd"
    loss: typing.ClassVar[str] = "even_cross_entropy"

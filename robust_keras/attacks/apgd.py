"""APGD: projected gradient ascent that chooses its own step size, on three losses."""

import dataclasses
import itertools
import typing

import numpy as np

from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import on_sphere
from robust_keras.attacks.loops.search import Plan, Search
from robust_keras.attacks.loops.targets import likeliest_others
from robust_keras.attacks.loops.task import Task
from robust_keras.strength import GRADIENTS, SCALE_FREE, of_steps


def checkpoints(steps: int) -> list[int]:
    """Steps after which the search may halve its step size.

    Formula: the first gap is int(0.22 N); every next one is int(0.03 N) shorter, down to
    int(0.06 N); none is under 1.

    Args:
        steps: N, >= 1.

    Returns:
        Rising whole numbers, the last at most N.

    Example:
        >>> checkpoints(100)
        [22, 41, 57, 70, 80, 87, 93, 99]
    """
    gap, shorter, shortest = (max(int(share * steps), 1) for share in (0.22, 0.03, 0.06))
    gaps: list[int] = []
    while sum(gaps) + gap <= steps:
        gaps.append(gap)
        gap = max(gap - shorter, shortest)
    return list(itertools.accumulate(gaps))


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGD(Attack):
    """The part that all APGD share, which differ in their loss.

    Class attributes of a subclass:
        loss: key of `ascent.LOSSES`.
        along: how strong the loss makes many steps, see `strength`.

    Args:
        steps: number of steps, >= 1.
        restarts: independent starts, >= 1; an image falls if one of them fools the model.
        rho: share of steps that must raise the loss for the step size to stay, in (0, 1].

    Formula: `z = P(x_k + s d(g_k))`, `x_(k+1) = P(x_k + 0.75 (z - x_k) + 0.25 (x_k - x_(k-1)))`, P
    the projection, g the gradient of the loss, d its sign (linf) or g / norm(g) (l2); s begins at 2
    epsilon and is halved at `checkpoints`, image by image. Starts on the sphere. Every gradient is
    scaled to a largest component of 1 first, so that no small one is lost.

    Raises:
        ValueError: a setting is out of range.

    Reference: Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of
    Diverse Parameter-free Attacks", 2020, arXiv 2003.01690.
    """

    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    loss: typing.ClassVar[str]
    along: typing.ClassVar[str] = GRADIENTS

    steps: int = 100
    restarts: int = 1
    rho: float = 0.75

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_whole("restarts", self.restarts)
        require_number("rho", self.rho, maximum=1.0, above=True)

    @property
    def strength(self) -> str:
        """Of enough steps, on a loss of this kind."""
        return of_steps(self.steps, strong=self.along)

    @property
    def rounds(self) -> int:
        """The number of restarts."""
        return self.restarts

    @property
    def gradient_evaluations(self) -> int:
        """One a step and one at the start."""
        return self.steps + 1

    def plan(self) -> Plan:
        """The step sizes, a `Plan`."""
        marks = tuple(checkpoints(self.steps))
        return Plan(first_step=2.0, weight=0.75, checkpoints=marks, rho=self.rho)

    def start(
        self, generator: np.random.Generator, shape: tuple[int, ...], epsilon: float, norm: str
    ) -> np.ndarray:
        """Where an image begins: a random change on the sphere."""
        return on_sphere(generator, shape, epsilon, norm)

    def attack(self, task: Task) -> Proposal:
        """Moves the images up the loss; see `Attack.propose`."""
        search = Search(self, task)
        search.run(task.labels)
        return search.proposal(forwards=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDCE(APGD):
    """APGD on the cross-entropy of the label, which large logits can blind.

    See `APGD` for the method and the settings steps, restarts and rho.
    """

    name: typing.ClassVar[str] = "apgd_ce"
    loss: typing.ClassVar[str] = "cross_entropy"


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDDLR(APGD):
    """APGD on `losses.dlr`, which does not change with the logits' scale.

    See `APGD` for the method and the settings steps, restarts and rho.
    """

    name: typing.ClassVar[str] = "apgd_dlr"
    loss: typing.ClassVar[str] = "dlr"
    along: typing.ClassVar[str] = SCALE_FREE


@dataclasses.dataclass(frozen=True, kw_only=True)
class APGDTargeted(APGD):
    """APGD on `losses.targeted_dlr`, towards one class after the other.

    The targets are the classes with the largest logits of the clean image, beginning with the
    second; an image that has fallen is not attacked further.

    Args:
        targets: number of targets, >= 1; a model with fewer other classes gets them all.

    See `APGD` for the method and the settings steps, restarts and rho.

    Example:
        >>> APGDTargeted(targets=3).settings()
        {'steps': 100, 'restarts': 1, 'rho': 0.75, 'targets': 3}
    """

    name: typing.ClassVar[str] = "apgd_targeted"
    loss: typing.ClassVar[str] = "targeted_dlr"
    along: typing.ClassVar[str] = SCALE_FREE

    targets: int = 9

    def __post_init__(self):
        super().__post_init__()
        require_whole("targets", self.targets)

    @property
    def gradient_evaluations(self) -> int:
        """One a step and one at the start, for every target."""
        return self.targets * (self.steps + 1)

    @property
    def forward_evaluations(self) -> int:
        """That of the candidate, and one that chooses the targets."""
        return 2

    def attack(self, task: Task) -> Proposal:
        """Moves the images towards every target; see `Attack.propose`."""
        search = Search(self, task)
        for target in likeliest_others(task, self.targets):
            search.run(target)
        return search.proposal(forwards=1)

"""PGD on the margin, which no scale of the logits blinds."""

import dataclasses
import typing

import numpy as np

from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.search import Plan, Search
from robust_keras.attacks.loops.task import Task
from robust_keras.strength import SCALE_FREE, of_steps


@dataclasses.dataclass(frozen=True, kw_only=True)
class MarginPGD(Attack):
    """Projected gradient steps up the largest other logit minus the label's.

    Cross-entropy has no gradient left once the label leads by about 100, and one that favours few
    images long before; the direction of the margin's gradient does not know how large logits are.
    Images leave the batch as they fall.

    Formula: `x_(k+1) = P(x_k + step epsilon d(g_k))` from a random point of the ball, P the
    projection, g the gradient of `losses.margin`, d its sign (linf) or g / norm(g) (l2).

    Args:
        steps: number of steps, >= 1.
        step: length of a step in units of epsilon, in (0, 1].
        restarts: independent starts, >= 1; an image falls if one of them fools the model.

    Raises:
        ValueError: a setting is out of range.

    Reference: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", 2018,
    arXiv 1706.06083; the margin as a loss: Carlini and Wagner, 2017, arXiv 1608.04644.

    Example:
        >>> MarginPGD(steps=10).settings()
        {'steps': 10, 'step': 0.1, 'restarts': 1}
    """

    name: typing.ClassVar[str] = "margin_pgd"
    kind: typing.ClassVar[str] = "iterative"
    any_batch: typing.ClassVar[bool] = True
    stops_early: typing.ClassVar[bool] = True
    loss: typing.ClassVar[str] = "margin"

    steps: int = 40
    step: float = 0.1
    restarts: int = 1

    def __post_init__(self):
        require_whole("steps", self.steps)
        require_number("step", self.step, maximum=1.0, above=True)
        require_whole("restarts", self.restarts)

    @property
    def strength(self) -> str:
        """Of enough steps."""
        return of_steps(self.steps, self.step, SCALE_FREE)

    @property
    def rounds(self) -> int:
        """The number of restarts."""
        return self.restarts

    @property
    def gradient_evaluations(self) -> int:
        """One a step and one at the start, which also tells whether the start fooled the model."""
        return self.steps + 1

    def plan(self) -> Plan:
        """The step sizes, a `Plan`."""
        return Plan(first_step=self.step)

    def start(
        self, generator: np.random.Generator, shape: tuple[int, ...], epsilon: float, norm: str
    ) -> np.ndarray:
        """Where an image begins: a random point of the ball."""
        return uniform_in_ball([generator], shape, epsilon, norm)[0]

    def attack(self, task: Task) -> Proposal:
        """Moves the images up the margin; see `Attack.propose`."""
        search = Search(self, task)
        search.run(task.labels)
        return search.proposal(forwards=0)

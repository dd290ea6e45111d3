"""Noise: the baseline that every attack with gradients has to beat."""

import dataclasses
import math
import typing

import numpy as np

from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.task import Task


@dataclasses.dataclass(frozen=True, kw_only=True)
class UniformNoise(Attack):
    """Changes drawn uniformly from the ball; an image falls if one of the draws fools the model.

    Formula: see `uniform_in_ball`.

    Args:
        repeats: number of draws an image, >= 1.
    """

    name: typing.ClassVar[str] = "uniform_noise"
    kind: typing.ClassVar[str] = "noise"

    repeats: int = 10

    def __post_init__(self):
        require_whole("repeats", self.repeats)

    @property
    def rounds(self) -> int:
        """The number of draws."""
        return self.repeats

    def attack(self, task: Task) -> Proposal:
        """Adds noise to the images; see `Attack.propose`."""
        change = uniform_in_ball(task.generators, task.image_shape, task.epsilon, task.norm)
        return self.priced(task.images + change)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GaussianNoise(Attack):
    """Gaussian changes; an image falls if one of the draws fools the model.

    Formula: N(0, (s epsilon)^2) a pixel for linf, N(0, (s epsilon)^2 / d) for l2, d the number of
    pixels and channels; projected into the ball afterwards, as everything is.

    Args:
        repeats: number of draws an image, >= 1.
        deviation: s, the standard deviation in units of epsilon, > 0.
    """

    name: typing.ClassVar[str] = "gaussian_noise"
    kind: typing.ClassVar[str] = "noise"

    repeats: int = 10
    deviation: float = 1.0

    def __post_init__(self):
        require_whole("repeats", self.repeats)
        require_number("deviation", self.deviation, maximum=1e6, above=True)

    @property
    def rounds(self) -> int:
        """The number of draws."""
        return self.repeats

    def attack(self, task: Task) -> Proposal:
        """Adds noise to the images; see `Attack.propose`."""
        shape = task.image_shape
        scale = self.deviation * task.epsilon
        if task.norm == "l2":
            scale /= math.sqrt(math.prod(shape))
        return self.priced(
            task.images + np.stack([g.normal(0.0, scale, shape) for g in task.generators])
        )

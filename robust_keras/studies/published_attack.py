"""The attack of the kernel-activation study, as a plugin of evaluate.py."""

import dataclasses
import typing

from robust_keras import attacks
from robust_keras.attacks.cleverhans_attacks import PGD


@dataclasses.dataclass(frozen=True, kw_only=True)
class PGD50(PGD):
    """PGD of 50 steps of 2/255 at 8/255, from one random point; the study's from ten in turn.

    Reference: Peconi, "Robustness of Deep Neural Networks Using Trainable Activation Functions",
    thesis, Sapienza, 2020.
    """

    name: typing.ClassVar[str] = "pgd50"

    steps: int = 50
    step: float = 0.25


@dataclasses.dataclass(frozen=True, kw_only=True)
class PGD50x10(PGD50):
    """The same from ten random points, as published."""

    name: typing.ClassVar[str] = "pgd50x10"

    restarts: int = 10


attacks.register(PGD50)
attacks.register(PGD50x10)

"""What every attack is: frozen settings, and a step from images to candidates."""

import dataclasses
import typing
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras import strength
from robust_keras.attackable import Attackable
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.task import Task
from robust_keras.attacks.threat_model import NORMS, ThreatModel
from robust_keras.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attack:
    """Base of all attacks: settings only, data come with the call.

    Class attributes of a subclass:
        name: its key in ATTACKS.
        kind: "noise" or "given" (ask nothing; the latter is somebody else's work), "score"
            (searches with the logits alone), "decision" (with the predicted class alone), "sparse"
            (few pixels, by the gradient), "one_step" or "iterative" (along the gradient). It tells
            what the attack `needs`.
        strength: what a robust accuracy that it measured may rest on, one of `strength.DECLARED`;
            may depend on the settings.
        stops_early: whether it is done with an image once the model is fooled, so that what it
            finds barely fools it, however large the ball is.
        transfers: whether what it proposes may be tried on other models.
        norms: those of a threat model that it can be used with.
        cascade: whether it consists of other attacks.
        bisects: whether of several epsilons it looks for the smallest of each image, however the
            other attacks are swept.
        aims_at_rule: whether it looks for wrong answers that a rejection rule accepts.
        aims: whether it looks for whatever the classifier counts as fooled, and so for one answer
            where only that counts; False if it has an aim of its own.
        any_batch: whether batches of any size suit it; otherwise all have one size, padded with
            repeated images, so that nothing is traced twice.
        any_epsilon: whether it looks for the smallest change and makes no use of epsilon but to
            stop once within it. It then runs once, at the smallest of several epsilons, and what
            it proposes there serves for all.

    What `propose` returns is only a proposal: the engine projects it and predicts it again.
    """

    name: typing.ClassVar[str]
    kind: typing.ClassVar[str]
    norms: typing.ClassVar[tuple[str, ...]] = NORMS
    cascade: typing.ClassVar[bool] = False
    bisects: typing.ClassVar[bool] = False
    aims_at_rule: typing.ClassVar[bool] = False
    aims: typing.ClassVar[bool] = True
    any_batch: typing.ClassVar[bool] = False
    any_epsilon: typing.ClassVar[bool] = False
    stops_early: typing.ClassVar[bool] = False
    transfers: typing.ClassVar[bool] = True

    @property
    def strength(self) -> str:
        """Weak, unless a subclass says more."""
        return strength.WEAK

    @property
    def needs(self) -> str:
        """What it needs of the model: "nothing", "classes", "logits" or "gradients"."""
        return strength.NEEDS[self.kind]

    @property
    def rounds(self) -> int:
        """How many independent tries an image gets."""
        return 1

    @property
    def gradient_evaluations(self) -> int:
        """Forward and backward passes an image and round, at most."""
        return 0

    @property
    def forward_evaluations(self) -> int:
        """Forward passes alone an image and round, at most, that of the candidate included."""
        return 1

    def passes(self, image_shape: tuple[int, ...]) -> tuple[int, int]:
        """The two counts above, where they depend on the images' (height, width, channels)."""
        return self.gradient_evaluations, self.forward_evaluations

    def usual_passes(self, image_shape: tuple[int, ...]) -> tuple[int, int]:
        """Of these, what an image that does not fall takes as a rule."""
        return self.passes(image_shape)

    @property
    def needs_gradient(self) -> bool:
        """Whether the attack differentiates the model."""
        return self.needs == "gradients"

    def unhurried(self) -> "Attack":
        """The attack without its early stop, where it has a setting for that."""
        return self

    def stages(self, norm: str) -> "tuple[Attack, ...]":
        """The attacks that it consists of in a norm, each run on what the ones before it left."""
        return (self,)

    def settings(self) -> dict:
        """The settings as a dict of plain values."""
        return dataclasses.asdict(self)

    def check_threat_model(self, threat_model: ThreatModel) -> None:
        """Raises InputError unless the attack knows the norm of the threat model."""
        if threat_model.norm not in self.norms:
            expected = f"{' or '.join(self.norms)} for the attack {self.name}"
            raise InputError.expected("norm", expected, threat_model.norm)

    def priced(self, images: np.ndarray) -> Proposal:
        """A `Proposal` of these images that took all the gradients that are declared."""
        gradients = np.full(len(images), self.gradient_evaluations)
        return Proposal(images, gradients, np.zeros_like(gradients))

    def propose(
        self,
        classifier: Attackable,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        threat_model: ThreatModel,
        epsilon: float,
        generators: Sequence[np.random.Generator],
    ) -> Proposal:
        """Proposes an adversarial example for every image.

        Args:
            classifier: has `logits`, a function from images to (batch, classes).
            images: float32 array (batch, height, width, channels) within the bounds.
            labels: int array (batch,), the classes to get away from.
            threat_model: `ThreatModel`.
            epsilon: radius, > 0.
            generators: one `numpy.random.Generator` an image, for all that is random about it.

        Returns:
            A `Proposal`, with images of the same shape.
        """
        self.check_threat_model(threat_model)
        images = threat_model.checked(images, epsilon)
        given = classifier, images, np.asarray(labels), threat_model, float(epsilon), generators
        return self.attack(Task(*given))

    def attack(self, task: Task) -> Proposal:
        """What `propose` returns, of arguments that are checked: a subclass defines either."""
        raise TypeError(f"{type(self).__name__} must define propose or attack")


class QuerySearch(Attack):
    """Base of attacks without gradients, which have a setting `queries`: passes an image."""

    queries: int

    @property
    def strength(self) -> str:
        """Of enough queries."""
        return strength.of_queries(self.queries)

    @property
    def forward_evaluations(self) -> int:
        """The queries, and that of the candidate."""
        return self.queries + 1


def require(holds: bool, name: str, expected: str, value: Any) -> None:
    """Raises a ValueError about a setting unless `holds`."""
    if not holds:
        raise ValueError(f"`{name}` must be {expected}. Received: {name}={value!r}")


def require_whole(name: str, value: Any, minimum: int = 1) -> None:
    """Raises a ValueError unless the setting is a whole number of at least `minimum`."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    require(whole and value >= minimum, name, f"a whole number of at least {minimum}", value)


def require_number(
    name: str, value: Any, minimum: float = 0.0, maximum: float = np.inf, *, above: bool = False
) -> None:
    """Raises a ValueError unless the setting is a finite number between the limits."""
    real = isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value)
    inside = real and minimum <= value <= maximum and not (above and value == minimum)
    opening = "(" if above else "["
    require(inside, name, f"a number in {opening}{minimum:g}, {maximum:g}]", value)

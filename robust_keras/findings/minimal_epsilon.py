"""The smallest epsilon that changes each image's class."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from robust_keras.findings import fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import TOLERANCE, ListOf, Number, OrNone

# The shares of the images that `quantiles` are about.
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Fewer images than this are told one by one: quantiles of so few pretend to more than is known.
FEW = 8


class Rising(ListOf):
    """Numbers that never fall, then None for what is beyond the largest epsilon."""

    def __init__(self, length: int | None = None):
        super().__init__(OrNone(Number()), length)

    def _fitting(self, name, values):
        values = super()._fitting(name, values)
        known = [value for value in values if value is not None]
        falls = any(a > b for a, b in zip(known, known[1:], strict=False))
        if falls or None in values[: len(known)]:
            raise ValueError(
                f"`{name}` must be numbers that never fall, None past the last. "
                f"Received: {name}={values}"
            )
        return values

    def checked(self, name: str, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            value = [None if item == math.inf else item for item in value]
        return super().checked(name, value)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassEpsilons(Finding):
    """The smallest epsilons of one class' images."""

    label: int = fields.count("the class")
    images: int = fields.positive_count("number of the class' images")
    quantiles: tuple[float | None, ...] = field(Rising(len(SHARES)), "as of all images")
    epsilons: tuple[float | None, ...] = field(
        Rising(),
        f"of fewer than {FEW} images each one's, rising, null beyond `largest`; else empty",
        default=(),
    )

    def check_together(self) -> None:
        if self.epsilons and len(self.epsilons) != self.images:
            raise ValueError(
                f"`epsilons` must hold one number an image, {self.images}, or none. "
                f"Received: {len(self.epsilons)}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class MinimalEpsilonReport(Finding):
    """How far an image has to be changed before its class changes, as far as an attack found."""

    attack: str = fields.text("attack that searched")
    settings: Mapping = fields.mapping("every setting of it")
    largest: float = fields.number("largest epsilon tried")
    tolerance: float = fields.number(
        "how much smaller an epsilon was tried without success, at most"
    )
    found: float = fields.fraction(
        "images with an epsilon, those misclassified without attack included"
    )
    quantiles: tuple[float | None, ...] = field(
        Rising(len(SHARES)),
        "the epsilons by which 5, 25, 50, 75 and 95 % of the images have fallen, each that of one "
        "of the images; null beyond `largest`. 0 stands for an image that is misclassified "
        "without attack",
    )
    classes: tuple[ClassEpsilons, ...] = fields.parts(
        ClassEpsilons, "one object a class that has images"
    )
    seconds: float = fields.number("time taken")
    gradient_evaluations: int = fields.count("gradients of one image each")
    forward_evaluations: int = fields.count("forward passes of one image each")

    def check_together(self) -> None:
        values = [self.quantiles, *(c.quantiles + c.epsilons for c in self.classes)]
        known = [value for each in values for value in each if value is not None]
        if known and max(known) > self.largest * (1.0 + TOLERANCE):
            raise ValueError(
                f"`quantiles` must not exceed largest={self.largest}. Received: {max(known)}"
            )

    @classmethod
    def of(cls, found: Any) -> "MinimalEpsilonReport":
        """Makes the part of an `engine.minimal_epsilon.MinimalEpsilons`."""
        labels = [int(label) for label in found.labels]
        return cls(
            attack=found.attack.name,
            settings=found.attack.settings(),
            largest=found.largest,
            tolerance=found.tolerance,
            found=found.found,
            quantiles=found.quantiles(),
            classes=tuple(
                ClassEpsilons(
                    label=label,
                    images=labels.count(label),
                    quantiles=found.quantiles(label),
                    epsilons=found.of(label) if labels.count(label) < FEW else (),
                )
                for label in sorted(set(labels))
            ),
            seconds=found.seconds,
            gradient_evaluations=found.gradient_evaluations,
            forward_evaluations=found.forward_evaluations,
        )

"""The part of a report about the smallest epsilon that changes each image's class."""

import dataclasses
import math
from collections.abc import Mapping

from robust_keras.reporting import parts, validation

# The shares of the images that `quantiles` are about.
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Fewer images than this are told one by one: quantiles of so few pretend to more than is known.
FEW = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassEpsilons:
    """The smallest epsilons of one class' images.

    Args:
        label: the class.
        images: number of its images, at least 1.
        quantiles: as in `MinimalEpsilonReport`.
        epsilons: of fewer than `FEW` images each one's, rising, None for what is beyond; else, or
            where that is unknown, none.
    """

    label: int
    images: int
    quantiles: tuple[float | None, ...]
    epsilons: tuple[float | None, ...] = ()

    def __post_init__(self):
        """Checks every field."""
        parts.store(
            self,
            label=validation.integer("label", self.label),
            images=validation.integer("images", self.images, low=1),
            quantiles=_quantiles(self.quantiles),
            epsilons=_rising("epsilons", self.epsilons),
        )
        if self.epsilons and len(self.epsilons) != self.images:
            raise ValueError(
                f"`epsilons` must hold one number an image, {self.images}, or none. "
                f"Received: {len(self.epsilons)}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class MinimalEpsilonReport:
    """How far an image has to be changed before its class changes, as far as an attack found.

    Args:
        attack: name of the attack that searched.
        settings: every setting of it.
        largest: radius up to which was searched, above 0.
        tolerance: how much smaller a radius was tried without success, at most.
        found: fraction in [0, 1] of the images that fell at `largest` or below, those that are
            misclassified as they are included.
        quantiles: the epsilons by which 5, 25, 50, 75 and 95 % of the images had fallen, each None
            where that is beyond `largest`; 0 for an image that is misclassified as it is.
        classes: `ClassEpsilons` of every class that has images.
        seconds: wall time.
        gradient_evaluations: gradients of one image each.
        forward_evaluations: forward passes of one image each.
    """

    attack: str
    settings: Mapping
    largest: float
    tolerance: float
    found: float
    quantiles: tuple[float | None, ...]
    classes: tuple[ClassEpsilons, ...]
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int

    def __post_init__(self):
        """Checks every field."""
        validation.text("attack", self.attack)
        parts.store(
            self,
            settings=validation.mapping("settings", self.settings),
            largest=validation.number("largest", self.largest),
            tolerance=validation.number("tolerance", self.tolerance),
            found=validation.fraction("found", self.found),
            quantiles=_quantiles(self.quantiles),
            classes=validation.members("classes", self.classes, ClassEpsilons),
            seconds=validation.number("seconds", self.seconds),
        )
        for name in ("gradient_evaluations", "forward_evaluations"):
            parts.store(self, **{name: validation.integer(name, getattr(self, name))})
        for values in (self, *self.classes):
            known = [value for value in values.quantiles if value is not None]
            known += [v for v in getattr(values, "epsilons", ()) if v is not None]
            if known and max(known) > self.largest * (1.0 + parts.TOLERANCE):
                raise ValueError(
                    f"`quantiles` must not exceed largest={self.largest}. Received: {known}"
                )

    @classmethod
    def of(cls, found):
        """Makes the part of an `analysis.minimal_epsilon.MinimalEpsilons`."""
        labels, counts = zip(*_counted(found.labels), strict=True)
        return cls(
            attack=found.attack.name,
            settings=found.attack.settings(),
            largest=found.largest,
            tolerance=found.tolerance,
            found=found.found,
            quantiles=found.quantiles(),
            classes=[
                ClassEpsilons(
                    label=label,
                    images=count,
                    quantiles=found.quantiles(label),
                    epsilons=found.of(label) if count < FEW else (),
                )
                for label, count in zip(labels, counts, strict=True)
            ],
            seconds=found.seconds,
            gradient_evaluations=found.gradient_evaluations,
            forward_evaluations=found.forward_evaluations,
        )


def _counted(labels):
    labels = [int(label) for label in labels]
    return [(label, labels.count(label)) for label in sorted(set(labels))]


def _quantiles(values):
    """Five numbers that never fall, and None for what is beyond the largest epsilon."""
    values = _rising("quantiles", values)
    if len(values) != len(SHARES):
        raise ValueError(f"`quantiles` must be {len(SHARES)} numbers. Received: quantiles={values}")
    return values


def _rising(name, values):
    """Numbers that never fall, and None for what is beyond the largest epsilon."""
    values = validation.sequence(name, values, lambda _, value: value)
    values = [None if value is None or value == math.inf else value for value in values]
    numbers = [validation.number(name, v) for v in values if v is not None]
    beyond = [None] * (len(values) - len(numbers))
    falls = any(a > b for a, b in zip(numbers, numbers[1:], strict=False))
    if values[len(numbers) :] != beyond or falls:
        raise ValueError(
            f"`{name}` must be numbers that never fall, None past the last. "
            f"Received: {name}={values}"
        )
    return (*numbers, *beyond)

"""The part of a report about inputs unlike what a model was trained on."""

import base64
import binascii
import dataclasses
import math
from collections.abc import Mapping

from robust_keras.reporting import parts, validation

# Confidences above which images are counted.
SURE, VERY_SURE = 0.5, 0.99


@dataclasses.dataclass(frozen=True, kw_only=True)
class StrengthReport:
    """What a model made of samples of one strength.

    Args:
        strength: of the change in pixel units, in [0, 1].
        accepted: fraction of the samples that the model does not reject.
        mean_confidence: mean of the largest confidence among the classes that mean something.
        largest_confidence: its maximum over the samples.
        accuracy: fraction classified correctly; None where the samples belong to no class.
        accuracy_accepted: fraction of the accepted ones classified correctly; None also where none
            is accepted.
    """

    strength: float
    accepted: float
    mean_confidence: float
    largest_confidence: float
    accuracy: float | None = None
    accuracy_accepted: float | None = None

    def __post_init__(self):
        """Checks every field."""
        for name in ("strength", "accepted"):
            parts.store(self, **{name: validation.fraction(name, getattr(self, name))})
        for name in ("mean_confidence", "largest_confidence"):
            parts.store(self, **{name: _confidence(name, getattr(self, name))})
        for name in ("accuracy", "accuracy_accepted"):
            if getattr(self, name) is not None:
                parts.store(self, **{name: validation.fraction(name, getattr(self, name))})


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleReport:
    """Samples of rising strength.

    Args:
        name: `noisy` or `nonsense`, as on the command line.
        settings: every setting.
        samples: how many of each strength, at least 1.
        strengths: `StrengthReport`s by rising strength; none where skipped.
        seconds: wall time.
        gradient_evaluations: gradients of one image each.
        forward_evaluations: forward passes of one image each.
        skipped: why it did not run, or None if it ran.
    """

    name: str
    settings: Mapping
    samples: int
    strengths: tuple[StrengthReport, ...]
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    skipped: str | None = None

    def __post_init__(self):
        """Checks every field."""
        _check_common(self)
        strengths = validation.members("strengths", self.strengths, StrengthReport)
        rising = [part.strength for part in strengths]
        if any(a >= b for a, b in zip(rising, rising[1:], strict=False)):
            raise ValueError(f"`strengths` must rise. Received: {rising}")
        samples = validation.integer("samples", self.samples, low=1)
        parts.store(self, strengths=strengths, samples=samples)
        _check_skipped(self, strengths)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoolingImageReport:
    """The image that was found for one class.

    Args:
        class_index: class that it was made for.
        confidence: of the model in that class, in [0, 1].
        accepted: whether the model takes it for that class and does not reject it.
        shape: (height, width, channels).
        pixels: base64 of its height x width x channels bytes, row by row; None if not kept.
        iterations: of gradient ascent, for `top`, `0.99`, `0.999` and `0.9999` the steps until the
            class was the model's answer, or its confidence that high; None where it never was.
    """

    class_index: int
    confidence: float
    accepted: bool
    shape: tuple[int, int, int]
    pixels: str | None
    iterations: Mapping = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        """Checks every field."""
        shape = validation.sequence("shape", self.shape, validation.integer, low=1)
        parts.store(
            self,
            class_index=validation.integer("class_index", self.class_index),
            confidence=_confidence("confidence", self.confidence),
            accepted=validation.boolean("accepted", self.accepted),
            shape=shape,
            iterations=validation.mapping("iterations", self.iterations),
        )
        if len(shape) != 3:
            raise ValueError(f"`shape` must be (height, width, channels). Received: shape={shape}")
        if self.pixels is not None and len(self.content) != math.prod(shape):
            raise ValueError(
                f"`pixels` must hold {math.prod(shape)} bytes. Received: {len(self.content)}"
            )

    @property
    def content(self):
        """The pixels as bytes."""
        try:
            return base64.b64decode(self.pixels, validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise ValueError(f"`pixels` must be base64. Received: {error}") from error


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoolingReport:
    """One image for each class that means something.

    Args:
        name: `fooling_gradient`, `fooling_direct` or `fooling_cppn`, as on the command line.
        settings: every setting.
        images: `FoolingImageReport`s, one a class; none where skipped.
        generations: of the evolution; None for gradient ascent.
        seconds, gradient_evaluations, forward_evaluations, skipped: as in `SampleReport`.
    """

    name: str
    settings: Mapping
    images: tuple[FoolingImageReport, ...]
    generations: int | None
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    skipped: str | None = None

    def __post_init__(self):
        """Checks every field."""
        _check_common(self)
        images = validation.members("images", self.images, FoolingImageReport)
        parts.store(self, images=images)
        if self.generations is not None:
            value = validation.integer("generations", self.generations)
            parts.store(self, generations=value)
        _check_skipped(self, images)

    def above(self, confidence):
        """Gives the number of classes whose image has more than this confidence."""
        return sum(image.confidence > confidence for image in self.images)

    @property
    def accepted(self):
        """Number of classes whose image the model takes for the class and accepts."""
        return sum(image.accepted for image in self.images)


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnusualReport:
    """What a model made of unusual inputs.

    Args:
        samples: `SampleReport`s.
        fooling: `FoolingReport`s.
    """

    samples: tuple[SampleReport, ...] = ()
    fooling: tuple[FoolingReport, ...] = ()

    def __post_init__(self):
        """Checks every field."""
        parts.store(
            self,
            samples=validation.members("samples", self.samples, SampleReport),
            fooling=validation.members("fooling", self.fooling, FoolingReport),
        )

    def add_derived(self, value):
        """Puts the counts that follow from the parts into their JSON value."""
        for part, item in zip(self.fooling, value["fooling"], strict=True):
            item["above_half"] = part.above(SURE)
            item["above_99"] = part.above(VERY_SURE)
            item["accepted"] = part.accepted


def _confidence(name, value):
    # A float32 softmax may pass 1 by a rounding error.
    return min(validation.number(name, value, high=1.0 + parts.TOLERANCE), 1.0)


def _check_common(part):
    validation.text("name", part.name)
    parts.store(
        part,
        settings=validation.mapping("settings", part.settings),
        seconds=validation.number("seconds", part.seconds),
    )
    for name in ("gradient_evaluations", "forward_evaluations"):
        parts.store(part, **{name: validation.integer(name, getattr(part, name))})


def _check_skipped(part, found):
    if part.skipped is not None:
        validation.text("skipped", part.skipped)
    if bool(found) == (part.skipped is not None):
        raise ValueError(
            f"{part.name} must have found something or tell why it was skipped. "
            f"Received: skipped={part.skipped!r}"
        )

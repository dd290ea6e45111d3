"""What a model made of inputs unlike those it was trained on."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from robust_keras.findings import byte_text, fields
from robust_keras.findings.finding import Finding, derived, field
from robust_keras.findings.kinds import COUNT, POSITIVE_COUNT, ListOf

# Confidences above which images are counted.
SURE, VERY_SURE = 0.5, 0.99
_GRADIENTS = "gradients, summed over images"
_FORWARDS = (
    "forward passes alone, summed over images; those that ask the rejection rule are left out"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleImageReport(Finding):
    """One sample, and what the model made of it."""

    answer: int | None = fields.count("the model's answer; null where it is no number")
    confidence: float = fields.confidence(
        "the largest confidence among the classes that mean something"
    )
    accepted: bool = fields.boolean("whether it is accepted")
    shape: tuple[int, int, int] = field(ListOf(POSITIVE_COUNT, length=3), "height, width, channels")
    pixels: str = fields.text("base64 of the bytes, row by row, cut off at 0 and 1")

    def check_together(self) -> None:
        byte_text.decoded("pixels", self.pixels, self.shape)

    @property
    def image(self) -> np.ndarray:
        """The pixels, uint8 (height, width, channels)."""
        return byte_text.decoded("pixels", self.pixels, self.shape)


@dataclasses.dataclass(frozen=True, kw_only=True)
class StrengthReport(Finding):
    """What a model made of samples of one strength."""

    strength: float = fields.fraction("size of the change, in pixel units")
    accepted: float = fields.fraction("samples that are accepted")
    mean_confidence: float = fields.confidence(
        "mean of the largest confidence among the classes that mean something"
    )
    largest_confidence: float = fields.confidence("its maximum")
    accuracy: float | None = fields.fraction("samples classified correctly; null for nonsense")
    accuracy_accepted: float | None = fields.fraction(
        "accepted samples classified correctly, as a share of the accepted; null for nonsense, or "
        "if none is accepted"
    )
    examples: tuple[SampleImageReport, ...] = fields.parts(
        SampleImageReport,
        "the first few samples, at the lowest, the middle and the highest strength",
        default=(),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleReport(Finding):
    """Samples of rising strength."""

    name: str = fields.text("`noisy` or `nonsense`, as on the command line")
    settings: Mapping = fields.mapping("every setting")
    samples: int = fields.positive_count("samples of each strength")
    strengths: tuple[StrengthReport, ...] = fields.parts(
        StrengthReport, "one object a strength, rising; empty if skipped"
    )
    seconds: float = fields.number("wall time")
    gradient_evaluations: int = fields.count(_GRADIENTS)
    forward_evaluations: int = fields.count(_FORWARDS)
    skipped: str | None = fields.text("why it did not run; null if it ran")

    def check_together(self) -> None:
        rising = [part.strength for part in self.strengths]
        if any(a >= b for a, b in zip(rising, rising[1:], strict=False)):
            raise ValueError(f"`strengths` must rise. Received: {rising}")
        _check_skipped(self, self.strengths)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoolingImageReport(Finding):
    """The image that was found for one class."""

    class_index: int = fields.count("class that the image was made for")
    confidence: float = fields.confidence("confidence in that class")
    accepted: bool = fields.boolean(
        "whether the model takes the image for that class and accepts it"
    )
    shape: tuple[int, int, int] = field(ListOf(POSITIVE_COUNT), "height, width, channels")
    pixels: str | None = fields.text(
        "base64 of the bytes, row by row; null where they are not kept: beyond the first 20 classes"
    )
    iterations: Mapping = fields.mapping(
        "of gradient ascent: the steps until the class was the model's answer (`top`), and until "
        "its confidence was 0.99, 0.999 and 0.9999; null: never. Else empty",
        default_factory=dict,
    )

    def check_together(self) -> None:
        if len(self.shape) != 3:
            raise ValueError(
                f"`shape` must be (height, width, channels). Received: shape={self.shape}"
            )
        if self.pixels is not None:
            byte_text.decoded("pixels", self.pixels, self.shape)

    @property
    def image(self) -> np.ndarray:
        """The pixels, uint8 (height, width, channels); divided by 255 they are what was shown."""
        return byte_text.decoded("pixels", self.pixels, self.shape)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FoolingReport(Finding):
    """One image for each class that means something."""

    name: str = fields.text(
        "`fooling_gradient`, `fooling_direct` or `fooling_cppn`, as on the command line"
    )
    settings: Mapping = fields.mapping("every setting")
    images: tuple[FoolingImageReport, ...] = fields.parts(
        FoolingImageReport, "one object a class that means something; empty if skipped"
    )
    generations: int | None = fields.count("of the evolution; null for gradient ascent")
    seconds: float = fields.number("wall time")
    gradient_evaluations: int = fields.count(_GRADIENTS)
    forward_evaluations: int = fields.count(_FORWARDS)
    skipped: str | None = fields.text("why it did not run; null if it ran")

    def check_together(self) -> None:
        _check_skipped(self, self.images)

    def above(self, confidence: float) -> int:
        """Gives the number of classes whose image has more than this confidence."""
        return sum(image.confidence > confidence for image in self.images)

    @property
    @derived(COUNT, "classes of confidence above 0.5")
    def above_half(self) -> int:
        return self.above(SURE)

    @property
    @derived(COUNT, "classes of confidence above 0.99")
    def above_99(self) -> int:
        return self.above(VERY_SURE)

    @property
    @derived(COUNT, "classes whose image is accepted for them")
    def accepted(self) -> int:
        return sum(image.accepted for image in self.images)


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnusualReport(Finding):
    """What a model made of unusual inputs."""

    samples: tuple[SampleReport, ...] = fields.parts(
        SampleReport, "`noisy` and `nonsense`, as far as asked for", default=()
    )
    fooling: tuple[FoolingReport, ...] = fields.parts(
        FoolingReport,
        "`fooling_gradient`, `fooling_direct`, `fooling_cppn`, as far as asked for",
        default=(),
    )

    @property
    def parts(self) -> tuple[Any, ...]:
        """All of both kinds, samples first."""
        return (*self.samples, *self.fooling)


def _check_skipped(part, found):
    if bool(found) == (part.skipped is not None):
        raise ValueError(
            f"{part.name} must have found something or tell why it was skipped. "
            f"Received: skipped={part.skipped!r}"
        )

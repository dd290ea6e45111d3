"""What was found with unusual inputs: numpy arrays and plain values."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class StrengthResult:
    """What a model made of samples of one strength.

    Args:
        strength: of the change, in pixel units.
        accepted: share of the samples that the model does not reject.
        mean_confidence: mean over the samples of the largest confidence among the classes that
            mean something.
        largest_confidence: its maximum.
        accuracy: share classified correctly; None where the samples belong to no class.
        accuracy_accepted: share of the accepted ones classified correctly; None also where none is.
    """

    strength: float
    accepted: float
    mean_confidence: float
    largest_confidence: float
    accuracy: float | None = None
    accuracy_accepted: float | None = None


@dataclasses.dataclass(frozen=True)
class SampleResult:
    """Samples of rising strength.

    Args:
        name: "noisy" or "nonsense".
        settings: plain values.
        samples: how many of each strength.
        strengths: one `StrengthResult` a strength; none if skipped.
        seconds: wall time.
        gradient_evaluations: forward and backward passes, summed over images.
        forward_evaluations: forward passes alone, summed over images.
        skipped: None, or the reason why it did not run.
    """

    name: str
    settings: dict
    samples: int
    strengths: tuple[StrengthResult, ...]
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    skipped: str | None = None


@dataclasses.dataclass(frozen=True)
class FoolingImage:
    """The image that was found for one class.

    Args:
        class_index: class that it was made for.
        image: uint8 array (height, width, channels); divided by 255 it is what the model saw.
        confidence: of the model in that class.
        accepted: whether the model takes it for that class and does not reject it.
        iterations: for "top", "0.99", "0.999" and "0.9999" the steps until the class was the
            largest, or its confidence that high; None where it never was. Empty where steps mean
            nothing.
    """

    class_index: int
    image: np.ndarray
    confidence: float
    accepted: bool
    iterations: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class FoolingResult:
    """One image for each class that means something.

    Args:
        name: "fooling_gradient", "fooling_direct" or "fooling_cppn".
        settings: plain values.
        images: one `FoolingImage` a class; none if skipped.
        generations: of the evolution; None for gradient ascent.
        seconds, gradient_evaluations, forward_evaluations, skipped: as in `SampleResult`.
    """

    name: str
    settings: dict
    images: tuple[FoolingImage, ...]
    generations: int | None
    seconds: float
    gradient_evaluations: int
    forward_evaluations: int
    skipped: str | None = None

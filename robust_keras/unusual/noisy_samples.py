"""Images of the data set with noise of one size and random sign at every pixel."""

import dataclasses
import time
import typing
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from robust_keras.attacks.attack import require_number
from robust_keras.findings import SampleImageReport, SampleReport, StrengthReport
from robust_keras.findings.byte_text import encoded
from robust_keras.noise_strengths import CIFAR10, MNIST
from robust_keras.unusual.subject import Subject

# Samples of a strength that a report shows.
_SHOWN = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoisySamples:
    """Adds noise to images that the model should know: does it still, and how sure is it?

    Formula: `x - strength sign(g)`, g normal at every pixel, drawn once an image and the same at
    every strength.

    Args:
        strengths: numbers in [0, 1], rising; none for the study's (up to 0.5 for images of one
            channel, to 0.15 for others).
        clip: whether pixels are cut off at 0 and 1, as in any image that can be served; the study
            does not.

    Raises:
        ValueError: a setting is out of its range.

    Reference: Zhao and Griffin, "Suppressing the Unusual: towards Robust CNNs using Symmetric
    Activation Functions", 2016, arXiv 1603.05145; details from the authors' program.

    Example: `NoisySamples(strengths=(0.1, 0.3)).run(subject).strengths[0].accuracy`
    """

    name: typing.ClassVar[str] = "noisy"

    strengths: tuple[float, ...] = ()
    clip: bool = True

    def __post_init__(self):
        check_strengths(self.strengths)

    def run(self, subject: Subject, progress: Callable | None = None) -> SampleReport:
        """Counts what a `Subject`'s model makes of its images with noise.

        Args:
            subject: `Subject`.
            progress: None, or called as `progress(done, total)` after every strength.
        """
        start, before = time.monotonic(), subject.forward_evaluations
        draws = (subject.generator(self.name, index) for index in range(len(subject.images)))
        signs = [np.sign(g.standard_normal(subject.image_shape, np.float32)) for g in draws]
        changes = -np.stack(signs)
        strengths = self.strengths or published_strengths(subject)
        found = strength_results(
            subject, subject.images, changes, strengths, self.clip, subject.labels, progress
        )
        return SampleReport(
            name=self.name,
            settings=dataclasses.asdict(self) | {"strengths": strengths},
            samples=len(subject.images),
            strengths=found,
            seconds=time.monotonic() - start,
            gradient_evaluations=0,
            forward_evaluations=subject.forward_evaluations - before,
        )


def check_strengths(strengths: Any) -> None:
    """Raises a ValueError unless the strengths are rising numbers in [0, 1], or none."""
    for strength in strengths:
        require_number("strengths", strength, 0.0, 1.0)
    if any(a >= b for a, b in zip(strengths, strengths[1:], strict=False)):
        raise ValueError(f"`strengths` must rise. Received: strengths={strengths}")


def published_strengths(subject: Subject) -> tuple[float, ...]:
    """The study's strengths for images of these channels."""
    return MNIST if subject.image_shape[-1] == 1 else CIFAR10


def strength_results(
    subject: Subject,
    images: np.ndarray,
    changes: np.ndarray,
    strengths: Sequence[float],
    clip: bool,
    labels: np.ndarray | None = None,
    progress: Callable | None = None,
) -> tuple:
    """What the model makes of `images + strength changes` at each strength.

    Args:
        subject: `Subject`.
        images: float32 array (images, height, width, channels).
        changes: array of the same shape.
        strengths: factors on them.
        clip: whether pixels are cut off at 0 and 1.
        labels: None, or int array (images,).
        progress: None, or called as `progress(done, total)` after every strength.

    Returns:
        Tuple of `StrengthReport`s.
    """
    found = []
    kept = {strengths[place] for place in (0, len(strengths) // 2, -1)}
    for strength in strengths:
        shown = _SHOWN if strength in kept else 0
        found.append(_result(subject, images, changes, strength, clip, labels, shown))
        if progress is not None:
            progress(len(found), len(strengths))
    return tuple(found)


def _result(subject, images, changes, strength, clip, labels, shown):
    changed = images + np.float32(strength) * changes
    changed = np.clip(changed, 0.0, 1.0) if clip else changed
    judged = subject.judge(changed)
    accuracies = {}
    if labels is not None:
        right = judged.classes == labels
        accuracies["accuracy"] = float(right.mean())
        if judged.accepted.any():
            accuracies["accuracy_accepted"] = float(right[judged.accepted].mean())
    return StrengthReport(
        strength=float(strength),
        accepted=float(judged.accepted.mean()),
        mean_confidence=float(judged.largest.mean()),
        largest_confidence=float(judged.largest.max()),
        examples=tuple(_example(changed, judged, place) for place in range(len(changed))[:shown]),
        **accuracies,
    )


def _example(images, judged, place):
    answer = int(judged.classes[place])
    shown = np.clip(np.nan_to_num(images[place]), 0.0, 1.0)
    return SampleImageReport(
        answer=None if answer < 0 else answer,
        confidence=float(judged.largest[place]),
        accepted=bool(judged.accepted[place]),
        shape=images.shape[1:],
        pixels=encoded(np.rint(255.0 * shown).astype(np.uint8)),
    )

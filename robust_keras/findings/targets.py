"""Which class can be made of which: every class as the answer that is wanted."""

import dataclasses

import numpy as np

from robust_keras.findings import byte_text, fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import COUNT, POSITIVE_COUNT, ListOf

# Classes of which pictures are kept.
MOST_PICTURED = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetPictureReport(Finding):
    """One image of a class, as it is or moved to another class."""

    index: int = fields.count("number of the image among those attacked")
    source: int = fields.count("its class")
    answer: int = fields.count("the model's answer; `source` for the image as it is")
    confidence: float = fields.confidence("confidence in that answer")
    shape: tuple[int, int, int] = field(ListOf(POSITIVE_COUNT, length=3), "height, width, channels")
    pixels: str = fields.text("base64 of the bytes, row by row")

    def check_together(self) -> None:
        byte_text.decoded("pixels", self.pixels, self.shape)
        if max(self.source, self.answer) >= MOST_PICTURED:
            raise ValueError(
                f"`source` and `answer` must be below {MOST_PICTURED}. "
                f"Received: {self.source} and {self.answer}"
            )

    @property
    def image(self) -> np.ndarray:
        """The pixels, uint8 (height, width, channels)."""
        return byte_text.decoded("pixels", self.pixels, self.shape)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TargetsReport(Finding):
    """How many images of each class were moved to each other class."""

    epsilon: float = fields.number("the largest of the threat model, at which this was tried")
    attacked: tuple[int, ...] = field(
        ListOf(COUNT), "for each class, its images that are classified correctly without attack"
    )
    moved: tuple[tuple[int, ...], ...] = field(
        ListOf(ListOf(COUNT)),
        "for each class, how many of these are answered with each class after an attack that "
        "wanted this answer. One image can be moved to several",
    )
    seconds: float = fields.number("time taken")
    gradient_evaluations: int = fields.count("gradients of one image each")
    forward_evaluations: int = fields.count("forward passes of one image each")
    pictures: tuple[TargetPictureReport, ...] = fields.parts(
        TargetPictureReport,
        "of each of the first 10 classes its first image that is right without attack: as it is, "
        "and as it was moved to each other of these classes, where it was",
        default=(),
    )

    def check_together(self) -> None:
        for own, row in zip(self.attacked, self.moved, strict=True):
            if len(row) != len(self.attacked) or max(row, default=0) > own:
                raise ValueError(
                    "`moved` must hold as many classes as `attacked`, none with more images. "
                    f"Received: {row} of {own}"
                )

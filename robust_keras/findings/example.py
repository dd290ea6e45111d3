"""One adversarial example that is shown."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.findings import byte_text, fields
from robust_keras.findings.finding import Finding, field
from robust_keras.findings.kinds import POSITIVE_COUNT, ListOf, Number


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleReport(Finding):
    """One adversarial example that is shown, with the pictures of it."""

    index: int = fields.count("place of the image among those attacked")
    label: int = fields.count("class it belongs to")
    clean_class: int = fields.count("class the model gives without the attack")
    adversarial_class: int = fields.count("class the model gives after it")
    clean_confidence: float = fields.confidence("confidence in `clean_class`")
    adversarial_confidence: float = fields.confidence("confidence in `adversarial_class`")
    epsilon: float = fields.number("radius at which it was found, the largest where possible")
    attack: str = fields.text("attack that found it")
    amplification: float = field(
        Number(low=1.0), "by how much the change is enlarged in its picture", default=1.0
    )
    shape: tuple[int, ...] = field(
        ListOf(POSITIVE_COUNT),
        "height, width, channels (1 or 3) of the pictures; empty if none is kept",
        default=(),
    )
    pictures: tuple[str, ...] = fields.texts(
        "three or none: base64 of the bytes, row by row: the image, the change around mid grey, "
        "the image after the change"
    )

    def check_together(self) -> None:
        if not self.pictures:
            return
        if len(self.pictures) != 3 or len(self.shape) != 3 or self.shape[2] not in (1, 3):
            raise ValueError(
                "`pictures` must be three of (height, width, 1 or 3). "
                f"Received: {len(self.pictures)} of shape={self.shape}"
            )
        for text in self.pictures:
            byte_text.decoded("pictures", text, self.shape)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """The pictures as uint8 arrays (height, width, 3); none if none is kept."""
        kept = (byte_text.decoded("pictures", text, self.shape) for text in self.pictures)
        return tuple(np.broadcast_to(pixels, (*self.shape[:2], 3)) for pixels in kept)

    @classmethod
    def of(
        cls, example: Any, amplification: float = 1.0, pictures: Sequence[np.ndarray] = ()
    ) -> "ExampleReport":
        """Makes the part of an adversarial example that has its fields.

        Args:
            example: has the fields up to `attack`.
            amplification: see above.
            pictures: three uint8 arrays (height, width, 1 or 3) of one shape, or none.
        """
        fields = [each.name for each in dataclasses.fields(cls)]
        known = {name: getattr(example, name) for name in fields[: fields.index("amplification")]}
        texts = tuple(byte_text.encoded(picture) for picture in pictures)
        shape = pictures[0].shape if pictures else ()
        return cls(**known, amplification=amplification, shape=shape, pictures=texts)

"""The part of a report about one adversarial example."""

import base64
import dataclasses
import math

import numpy as np

from robust_keras.reporting import parts, validation


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExampleReport:
    """One adversarial example that is shown, with the pictures of it.

    Args:
        index: place of the image in the data, from 0.
        label: class it belongs to.
        clean_class: class the model gives without the attack.
        adversarial_class: class the model gives after it.
        clean_confidence: confidence in [0, 1] of `clean_class`.
        adversarial_confidence: confidence in [0, 1] of `adversarial_class`.
        epsilon: radius it was found at.
        attack: name of the attack that found it.
        amplification: by how much the change is enlarged in its picture, at least 1.
        shape: (height, width, channels) of the pictures, one channel or three; () if none is kept.
        pictures: base64 of the bytes of three pictures, row by row: the image, the change around
            mid grey, and the image after the change; () if none is kept.

    Raises:
        ValueError: if a field is out of its range, or the pictures are not of that shape.
    """

    index: int
    label: int
    clean_class: int
    adversarial_class: int
    clean_confidence: float
    adversarial_confidence: float
    epsilon: float
    attack: str
    amplification: float = 1.0
    shape: tuple[int, ...] = ()
    pictures: tuple[str, ...] = ()

    def __post_init__(self):
        """Checks every field."""
        validation.text("attack", self.attack)
        for name in ("index", "label", "clean_class", "adversarial_class"):
            parts.store(self, **{name: validation.integer(name, getattr(self, name))})
        for name in ("clean_confidence", "adversarial_confidence"):
            # A float32 softmax may pass 1 by a rounding error.
            value = validation.number(name, getattr(self, name), high=1.0 + parts.TOLERANCE)
            parts.store(self, **{name: min(value, 1.0)})
        parts.store(self, epsilon=validation.number("epsilon", self.epsilon))

        amplification = validation.number("amplification", self.amplification, low=1.0)
        shape = validation.sequence("shape", self.shape, validation.integer, low=1)
        pictures = validation.sequence("pictures", self.pictures, validation.text)
        parts.store(self, amplification=amplification, shape=shape, pictures=pictures)
        self._check_pictures()

    def _check_pictures(self):
        if not self.pictures:
            return
        if len(self.pictures) != 3 or len(self.shape) != 3 or self.shape[2] not in (1, 3):
            raise ValueError(
                "`pictures` must be three of (height, width, 1 or 3). "
                f"Received: {len(self.pictures)} of shape={self.shape}"
            )
        for content in map(_bytes, self.pictures):
            if len(content) != math.prod(self.shape):
                raise ValueError(
                    f"each of `pictures` must hold {math.prod(self.shape)} bytes. "
                    f"Received: {len(content)}"
                )

    @property
    def arrays(self):
        """The pictures as uint8 arrays (height, width, 3); none if none is kept."""
        kept = (np.frombuffer(_bytes(text), np.uint8).reshape(self.shape) for text in self.pictures)
        return tuple(np.broadcast_to(pixels, (*self.shape[:2], 3)) for pixels in kept)

    @classmethod
    def of(cls, example, amplification=1.0, pictures=()):
        """Makes the part of an adversarial example that has its fields.

        Args:
            example: has the fields up to `attack`.
            amplification: see above.
            pictures: three uint8 arrays (height, width, 1 or 3) of one shape, or none.
        """
        fields = [field.name for field in dataclasses.fields(cls)]
        known = {name: getattr(example, name) for name in fields[: fields.index("amplification")]}
        texts = [base64.b64encode(np.ascontiguousarray(p)).decode("ascii") for p in pictures]
        shape = pictures[0].shape if pictures else ()
        return cls(**known, amplification=amplification, shape=shape, pictures=texts)


def _bytes(text):
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError(f"`pictures` must be base64. Received: {error}") from error

"""Images as bytes, and what a model makes of one for each class."""

from collections.abc import Sequence

import numpy as np

from robust_keras.findings import FoolingImageReport, byte_text
from robust_keras.unusual.subject import Subject


def to_bytes(images: np.ndarray) -> np.ndarray:
    """Pixels in [0, 1] as uint8: what an image file can hold."""
    return np.rint(np.clip(images, 0.0, 1.0) * 255.0).astype(np.uint8)


def from_bytes(images: np.ndarray) -> np.ndarray:
    """uint8 pixels as float32 in [0, 1], as data sets give them."""
    return images.astype(np.float32) / np.float32(255.0)


def fooling_images(
    subject: Subject, images: np.ndarray, iterations: Sequence[dict[str, int | None]] | None = None
) -> tuple:
    """What the model makes of one image a class, in the order of the classes.

    Args:
        subject: `Subject`.
        images: uint8 array (classes, height, width, channels).
        iterations: None, or one dict a class; see `FoolingImageReport`.

    Returns:
        Tuple of `FoolingImageReport`s.
    """
    judged = subject.judge(from_bytes(images))
    iterations = iterations or [{}] * len(images)
    return tuple(
        FoolingImageReport(
            class_index=index,
            shape=image.shape,
            pixels=byte_text.encoded(image),
            confidence=float(judged.confidences[index, index]),
            accepted=bool(judged.accepted[index] and judged.classes[index] == index),
            iterations=steps,
        )
        for index, (image, steps) in enumerate(zip(images, iterations, strict=True))
    )

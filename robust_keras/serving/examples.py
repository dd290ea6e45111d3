"""Images of the data set in front of which a model is loaded."""

import dataclasses

import numpy as np

from robust_keras.errors import InputError

# Enough to tell what the numbers in an output are, few enough to be cheap.
PROBES = 16


@dataclasses.dataclass(frozen=True, eq=False)
class Examples:
    """Clean images with their labels, by which it is found out how a model is to be asked.

    Args:
        images: float32 array (images, height, width, channels) in [0, 1], at least one; a few
            hundred are plenty.
        labels: int array (images,).
        num_classes: of the data set.
        name: of the data set, for messages.

    Raises:
        InputError: the arrays do not belong together or the pixels are not in [0, 1].

    Example:
        >>> test = data.load("mnist5k").test.take(256, seed=0)
        >>> examples = Examples(test.float_images(), test.labels, 10)
        >>> serving.load("lenet5.keras", examples=examples).pixels
        '0..1'
    """

    images: np.ndarray
    labels: np.ndarray
    num_classes: int
    name: str = "the data set"

    def __post_init__(self):
        images, labels = np.asarray(self.images, np.float32), np.asarray(self.labels)
        if images.ndim != 4 or not len(images):
            expected = "images (images, height, width, channels), at least one"
            raise InputError.expected("examples", expected, f"shape {images.shape}")
        if labels.shape != (len(images),):
            expected = f"{len(images)} labels, one an image"
            raise InputError.expected("examples", expected, f"shape {labels.shape}")
        if not (images.min() >= 0.0 and images.max() <= 1.0):
            received = f"{images.min():g} to {images.max():g}"
            raise InputError.expected("examples", "pixels in [0, 1]", received)
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""
        return self.images.shape[1:]

    @property
    def probes(self) -> np.ndarray:
        """The first few images."""
        return self.images[:PROBES]

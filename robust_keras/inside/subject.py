"""The model that is looked into, and the images that go through it."""

import dataclasses
import functools
from collections.abc import Mapping

import keras
import numpy as np

from robust_keras.attacks.loops.prediction import predict
from robust_keras.serving.classifier import Classifier

_MOST_NONSENSE = 1000


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Subject:
    """A model, and what is shown to it.

    Args:
        classifier: the `serving.Classifier` itself, not scaled for an attacker.
        model: the Keras model that is the same function of the images, or None.
        obstacle: None, or a sentence that says why there is no such model.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        fooling: from an image's number to the adversarial image that fooled the model, float32
            (height, width, channels); empty where none was found or kept.
        batch_size: images a pass.
        seed: of everything random, a whole number of at least 0.
        foreign: float32 array (images, height, width, channels) of what the model does not know,
            or None for uniform noise.
    """

    classifier: Classifier
    model: keras.Model | None
    obstacle: str | None
    images: np.ndarray
    labels: np.ndarray
    fooling: Mapping[int, np.ndarray]
    batch_size: int
    seed: int
    foreign: np.ndarray | None = None

    @functools.cached_property
    def attacked(self) -> np.ndarray | None:
        """The images, with what fooled the model in place of each that did not hold out; or None.

        float32 array (images, height, width, channels).
        """
        if not self.fooling:
            return None
        images = np.array(self.images)
        for number, image in self.fooling.items():
            images[number] = image
        return images

    @functools.cached_property
    def nonsense(self) -> np.ndarray:
        """What shows nothing: as many images as there are, or as are known, at most 1,000."""
        if self.foreign is not None:
            return self.foreign[:_MOST_NONSENSE]
        shape = (min(len(self.images), _MOST_NONSENSE), *self.images.shape[1:])
        return np.random.default_rng([self.seed, 0x1D]).random(shape, np.float32)

    def logits(self, images: np.ndarray) -> np.ndarray:
        """The model's logits, float32 (images, classes).

        Args:
            images: float32 array (images, height, width, channels).
        """
        return predict(self.classifier, images, min(self.batch_size, len(images)))

    @functools.cached_property
    def clean_logits(self) -> np.ndarray:
        """The logits of the images."""
        return self.logits(self.images)

    @functools.cached_property
    def attacked_logits(self) -> np.ndarray | None:
        """The logits of `attacked`, or None."""
        return None if self.attacked is None else self.logits(self.attacked)

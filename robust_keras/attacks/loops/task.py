"""One batch of images to attack."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from robust_keras.attackable import Attackable
from robust_keras.attacks.threat_model import ThreatModel


@dataclasses.dataclass(frozen=True)
class Task:
    """What `Attack.propose` was given, checked: images are float32, and epsilon is possible."""

    classifier: Attackable
    images: np.ndarray
    labels: np.ndarray
    threat_model: ThreatModel
    epsilon: float
    generators: Sequence[np.random.Generator]

    def of(self, rows: np.ndarray) -> "Task":
        """The same of some of the images, those at the places in an int array (some,)."""
        return dataclasses.replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            generators=[self.generators[row] for row in rows],
        )

    @property
    def norm(self) -> str:
        """That of the threat model."""
        return self.threat_model.norm

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels)."""
        return self.images.shape[1:]

    @property
    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest pixels, float32 arrays of the images' shape.

        They are exact, so that in linf projecting again moves nothing.
        """
        model, images = self.threat_model, self.images
        if self.norm == "linf":
            reach = images - self.epsilon, images + self.epsilon
            lowest, highest = (model.project(images, points, self.epsilon) for points in reach)
        else:
            lowest, highest = (np.full_like(images, bound) for bound in model.bounds)
        return lowest, highest

"""What is trained on, where that is more than images in [0, 1] with one label each."""

import dataclasses
from typing import ClassVar

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class TrainingSet:
    """Images whose pixels may leave [0, 1], and labels that may be soft.

    It takes an `ImageSplit`'s place in `pipeline.training_dataset`. What is evaluated or attacked
    stays an `ImageSplit`.

    Attributes:
        images: float32 (n, height, width, channels), or uint8.
        labels: int64 (n,), or float32 (n, classes).
        is_streamed: never; what is made of images is made in memory.

    Raises:
        ValueError: their counts differ.
    """

    images: np.ndarray
    labels: np.ndarray
    is_streamed: ClassVar[bool] = False

    def __post_init__(self):
        if len(self.images) != len(self.labels):
            raise ValueError(
                f"`labels` must be one for each of {len(self.images)} images. "
                f"Received: {len(self.labels)} labels"
            )

    def __len__(self):
        return len(self.labels)

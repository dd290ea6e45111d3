"""Flags of noise and nonsense in training and of the rule that rejects images."""

import dataclasses

from robust_keras.settings import values
from robust_keras.settings.field import flag, switch

NOISE_DRAWS = ("published", "once", "batch")
NONSENSE_CLASSES = 2


@dataclasses.dataclass(frozen=True)
class NonsenseFlags:
    """Random training, mean training and rejection."""

    noise_training: bool = switch(
        "Random training: half of the training images get plus or minus a fixed amount at every "
        "pixel."
    )
    noise_magnitude: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1.0, optional=True),
        "That amount.",
        needs="noise_training",
        unset="0.5 for images of one channel, else 0.15, as published",
    )
    noise_draw: str = flag(
        "published",
        values.Choice(NOISE_DRAWS),
        "once: half of the images, before training. batch: half of the batches, drawn anew. "
        "published: once for images of one channel, else batch.",
        needs="noise_training",
    )
    mean_training: bool = switch(
        "Mean training: two more classes, of noise around the mean image and of plain noise."
    )
    nonsense_share: float | None = flag(
        None,
        values.Number(minimum=1e-6, maximum=1.0, optional=True),
        "Images of each of the two classes as a share of the training images.",
        needs="mean_training",
        unset="0.1 for images of one channel, else 0.05, as published",
    )
    rejection_threshold: float = flag(
        0.0,
        values.Number(minimum=0.0, below=1.0),
        "The served model rejects images whose confidence is below this; 0 rejects none (but for "
        "those that --mean_training has taught to be nonsense).",
    )

    @property
    def nonsense_classes(self) -> int:
        """How many classes the model has beyond the data set's own."""
        return NONSENSE_CLASSES if self.mean_training else 0

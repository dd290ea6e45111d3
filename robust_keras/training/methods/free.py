"""Free adversarial training. Shafahi et al., 2019, arXiv 1904.12843."""

from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.methods.method import Method

_REPLAYS = 8


class Free(Method):
    """Minimises `L(f(x'), y)`; one backward pass gives both gradients, each batch is replayed.

    The perturbation goes from batch to batch.
    """

    keeps_perturbation: ClassVar[bool] = True

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """8 replays with a step of epsilon each."""
        return {"steps": 1, "step_ratio": 1.0, "replays": _REPLAYS}

    @classmethod
    def cost(cls, steps: int | None, replays: int | None) -> int:
        """A step a replay."""
        return replays or _REPLAYS

    def train_step(
        self, training: Any, images: tf.Tensor, labels: tf.Tensor, sample_weight: Any
    ) -> dict[str, Any]:
        """Updates weights and perturbation once a replay; the last one's logs."""
        for _ in range(self.settings.replays):
            logs = self._replay(training, images, labels, sample_weight)
        return logs

    def _replay(self, training, images, labels, sample_weight):
        """Both gradients from one pass, then both updates."""
        epsilon = training.epsilon.value
        count = tf.shape(images)[0]
        perturbation, clean = training.perturbation.value, self.pixels.to_unit(images)
        moved = crafting.project(clean + perturbation[:count], clean, epsilon)
        moved = self.pixels.from_unit(moved)
        logs, gradient = training.update(moved, labels, sample_weight, clean=images, by_images=True)
        step = self.settings.step_ratio * epsilon * crafting.direction(gradient)
        used = tf.clip_by_value(perturbation[:count] + step, -epsilon, epsilon)
        training.perturbation.assign(tf.concat([used, perturbation[count:]], axis=0))
        return logs

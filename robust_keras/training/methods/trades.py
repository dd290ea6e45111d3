"""TRADES. Zhang et al., 2019, arXiv 1901.08573."""

from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.methods.method import Method, weighted_mean
from robust_keras.training.methods.published_steps import published_steps

_BETA = 6.0


class Trades(Method):
    """Minimises `L(f(x), y) + beta KL(p(x) || p(x'))`, where x' climbs the divergence."""

    needs_one_class: ClassVar[bool] = True

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """40 steps of epsilon / 30 for large epsilons, else 10 of 7 / 31 epsilon; beta 6."""
        return {**published_steps(epsilon, steps, 7 / 31), "beta": _BETA}

    @classmethod
    def cost(cls, steps: int | None, replays: int | None) -> int:
        """A gradient each crafting step, and those of x and x'."""
        return (steps or 10) + 2

    def start(self, images: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """Beside the image, where the divergence has a gradient."""
        return crafting.nearby_start(images, epsilon, seed)

    def objective(self, images: tf.Tensor, labels: tf.Tensor) -> Callable:
        """The divergence from the clean images' probabilities."""
        clean = tf.stop_gradient(self.head.class_logits(self.outputs(images)))
        return lambda outputs: crafting.divergence(clean, self.head.class_logits(outputs))

    def training_loss(
        self,
        training: Any,
        moved: tf.Tensor,
        labels: tf.Tensor,
        sample_weight: Any,
        clean: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss on clean images and beta times the divergence."""
        of_clean = training(clean, training=True)
        loss = training.compute_loss(clean, labels, of_clean, sample_weight, training=True)
        outputs = training(moved, training=True)
        return loss + self._divergence(training, of_clean, outputs, sample_weight), outputs

    def _divergence(self, training, of_clean, of_moved, sample_weight):
        """Beta times the mean divergence; 0 in warm-up, where dropout alone would cause some."""
        divergence = crafting.divergence(*map(self.head.class_logits, (of_clean, of_moved)))
        mean = weighted_mean(training, divergence, sample_weight)
        return self.settings.beta * tf.cast(training.epsilon.value > 0, mean.dtype) * mean

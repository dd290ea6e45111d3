"""Certified training on interval bounds. Gowal et al., 2018, arXiv 1810.12715."""

from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.bounds.training_intervals import TrainingIntervals
from robust_keras.errors import InputError
from robust_keras.training import crafting, loss_inputs
from robust_keras.training.methods.method import Method, weighted_mean
from robust_keras.training.methods.published_steps import published_steps

_BOUND_WEIGHT = 0.5


class Ibp(Method):
    """Minimises `(1 - w) L(f(x'), y) + w C(worst logits in the ball, y)`, C the cross-entropy.

    w grows with epsilon, to `bound_weight`. x' is the clean image, or where steps are asked for
    what PGD makes of it (MTL-IBP: De Palma et al., "Expressive Losses for Verified Robustness via
    Convex Combinations", 2023, arXiv 2305.13991).
    """

    needs_one_class: ClassVar[bool] = True

    _intervals: TrainingIntervals

    def __post_init__(self):
        if self.head.columns == 1:
            raise InputError.expected(
                f"model '{self.classifier.name}'", "one logit a class with ibp", "one for two"
            )
        object.__setattr__(self, "_intervals", TrainingIntervals(self.classifier))

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """Clean images, and half of the loss on the bound once epsilon is full."""
        crafting_steps = {**published_steps(epsilon, steps, 1 / 4), "steps": steps or 0}
        return {**crafting_steps, "bound_weight": _BOUND_WEIGHT}

    @classmethod
    def cost(cls, steps: int | None, replays: int | None) -> int:
        """Values and bounds in one pass, after a gradient each crafting step."""
        return (steps or 0) + 3

    def craft(self, images: tf.Tensor, labels: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """The images, moved where steps are asked for."""
        if not self.settings.steps:
            return images
        return super().craft(images, labels, epsilon, seed)

    def training_loss(
        self,
        training: Any,
        moved: tf.Tensor,
        labels: tf.Tensor,
        sample_weight: Any,
        clean: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss on x' and that on the bounds around x, weighed."""
        epsilon, unit = training.epsilon.value, self.pixels.to_unit(clean)
        ends = (crafting.project(unit + side, unit, epsilon) for side in (-epsilon, epsilon))
        lower, upper = map(self.pixels.from_unit, ends)
        classes = loss_inputs.class_numbers(labels, self.head)
        logits, worst = self._intervals(moved, lower, upper, classes)
        outputs = tf.nn.softmax(logits) if self.head.gives_probabilities else logits
        loss = training.compute_loss(moved, labels, outputs, sample_weight, training=True)
        bound = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, worst)
        bound = weighted_mean(training, bound, sample_weight)
        weight = self.settings.bound_weight * epsilon / self.settings.epsilon
        return (1.0 - weight) * loss + weight * bound, outputs

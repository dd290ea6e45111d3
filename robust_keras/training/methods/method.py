"""One method of adversarial training: how it crafts, and what it makes of what it crafted."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import keras
import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.head import Head
from robust_keras.training.pixels import PixelRange


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Method:
    """Trains on x', which climbs the loss from a random start; subclasses say what they do else.

    Which settings it reads is in its `MethodDeclaration`.

    Args:
        classifier: the keras.Model that is trained.
        head: how to read its outputs.
        pixels: what it takes; crafting is in pixels of [0, 1].
        settings: its `AdversarialSettings`.
        loss: function of labels and outputs.
        sources: functions from the classifier's images to logits of its classes, where the method
            declares `source_models`.
    """

    # Whether crafting starts at noise where `random_start` is None.
    starts_at_random: ClassVar[bool] = True
    # How far from the image crafting comes at most, in epsilons.
    reach: ClassVar[float] = 1.0
    # Whether outputs must tell one class among all.
    needs_one_class: ClassVar[bool] = False
    # Whether robustness against PGD is what it aims at, and losing it is a failure.
    is_probed: ClassVar[bool] = True
    # Whether a perturbation goes from batch to batch.
    keeps_perturbation: ClassVar[bool] = False

    classifier: keras.Model
    head: Head
    pixels: PixelRange
    settings: Any
    loss: Callable
    sources: tuple = ()

    def __post_init__(self):
        """Prepares what a step needs; refuses a classifier that it cannot train."""

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """Setting -> value as published.

        Args:
            epsilon: the radius, in pixels of [0, 1].
            steps: how many are asked for; None for as many as published.
        """
        return {"steps": 1, "step_ratio": 1.0}

    @classmethod
    def cost(cls, steps: int | None, replays: int | None) -> int:
        """Steps of standard training that one of this costs; what was not asked for is None."""
        return 2

    def craft(self, images: tf.Tensor, labels: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """Images within `reach` epsilons of `images`.

        Args:
            images: float32 tensor (batch, ...) of the classifier's pixels.
            labels: as the loss takes them.
            epsilon: radius in pixels of [0, 1].
            seed: two integers for the noise.

        Returns:
            A tensor like `images`.
        """
        images = self.pixels.to_unit(images)
        start = self.start(images, epsilon, seed) if self.settings.random_start else images
        ascend = functools.partial(
            crafting.ascend,
            images,
            start,
            epsilon=self.reach * epsilon,
            step=self.settings.step_ratio * epsilon,
            steps=self.settings.steps,
        )
        return self.pixels.from_unit(self.climb(ascend, images, labels, seed))

    def start(self, images: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """Where crafting starts if at random; images in [0, 1], as are those returned."""
        return crafting.uniform_start(images, epsilon, seed)

    def climb(self, ascend: Callable, images: tf.Tensor, labels: tf.Tensor, seed: Any) -> tf.Tensor:
        """What `ascend` makes of the gradient that is climbed, a function of images in [0, 1]."""
        return ascend(crafting.gradient_of(self.outputs, self.objective(images, labels)))

    def objective(self, images: tf.Tensor, labels: tf.Tensor) -> Callable:
        """What is climbed, a function of the outputs."""
        return lambda outputs: self.loss(labels, outputs)

    def outputs(self, images: tf.Tensor) -> tf.Tensor:
        """The classifier's outputs for pixels in [0, 1]."""
        images = self.pixels.from_unit(images)
        return self.classifier(images, training=self.settings.crafting_training_mode)

    def train_step(
        self, training: Any, images: tf.Tensor, labels: tf.Tensor, sample_weight: Any
    ) -> dict[str, Any]:
        """Crafts and updates the weights; returns the logs.

        Args:
            training: the `AdversarialTraining` that asks.
            images: float32 tensor (batch, ...) of the classifier's pixels.
            labels: as the loss takes them.
            sample_weight: numbers (batch,), or None.
        """
        moved = training.craft(images, labels)
        return training.update(moved, labels, sample_weight, clean=images)[0]

    def training_loss(
        self,
        training: Any,
        moved: tf.Tensor,
        labels: tf.Tensor,
        sample_weight: Any,
        clean: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The loss that is minimised, and the outputs on x'; arguments as `train_step`."""
        outputs = training(moved, training=True)
        loss = training.compute_loss(moved, labels, outputs, sample_weight, training=True)
        return loss, outputs


def weighted_mean(training: Any, losses: tf.Tensor, sample_weight: Any) -> tf.Tensor:
    """A replica's share of the mean of the images' losses, as Keras computes that of its own.

    Args:
        training: the `AdversarialTraining`, whose replicas' gradients are summed.
        losses: tensor (batch,).
        sample_weight: numbers (batch,), or None.
    """
    if sample_weight is not None:
        losses *= tf.cast(tf.reshape(sample_weight, [-1]), losses.dtype)
    return tf.reduce_mean(losses) / training.distribute_strategy.num_replicas_in_sync

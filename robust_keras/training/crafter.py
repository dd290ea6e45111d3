"""Crafting adversarial images for one training step, as each method does it."""

import dataclasses
import functools
import typing
from typing import Any

import keras
import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.adversarial_settings import AdversarialSettings
from robust_keras.training.head import Head
from robust_keras.training.pixels import PixelRange
from robust_keras.training.source_models import label_free_loss


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Crafter:
    """Moves images within a ball, in pixels of [0, 1] whatever the classifier takes.

    Args:
        classifier: the keras.Model that is trained.
        head: how to read its outputs.
        pixels: what it takes.
        settings: the method and its numbers.
        loss: function of labels and outputs, what pgd and fast climb.
        sources: ensemble: functions from the classifier's images to logits of its classes.
    """

    classifier: keras.Model
    head: Head
    pixels: PixelRange
    settings: AdversarialSettings
    loss: typing.Callable
    sources: tuple = ()

    def craft(self, images: tf.Tensor, labels: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
        """Images within epsilon of `images`.

        Args:
            images: float32 tensor (batch, ...) of the classifier's pixels.
            labels: as the loss takes them.
            epsilon: radius in pixels of [0, 1].
            seed: two integers for the noise.

        Returns:
            A tensor like `images`.
        """
        images = self.pixels.to_unit(images)
        ascend = functools.partial(
            crafting.ascend,
            images,
            self._start(images, epsilon, seed),
            epsilon=epsilon,
            step=self.settings.step_ratio * epsilon,
            steps=self.settings.steps,
        )
        if self.settings.method == "ensemble":
            return self.pixels.from_unit(self._ascend_on_any(ascend, seed))
        gradient = crafting.gradient_of(self._outputs, self._objective(images, labels))
        return self.pixels.from_unit(ascend(gradient))

    def _start(self, images, epsilon, seed):
        if not self.settings.random_start:
            return images
        trades = self.settings.method == "trades"
        noisy = crafting.nearby_start if trades else crafting.uniform_start
        return noisy(images, epsilon, seed)

    def _objective(self, images, labels):
        """What is climbed, a function of the outputs."""
        if self.settings.method != "trades":
            return lambda outputs: self.loss(labels, outputs)
        clean = tf.stop_gradient(self.head.class_logits(self._outputs(images)))
        return lambda outputs: crafting.divergence(clean, self.head.class_logits(outputs))

    def _ascend_on_any(self, ascend, seed):
        """Crafts on one of the source models or the classifier, all equally likely."""
        objective = functools.partial(label_free_loss, self.settings.ensemble_attack)
        models = [self._on_unit_pixels(source) for source in self.sources]
        models.append(lambda images: self.head.class_logits(self._outputs(images)))
        gradients = [crafting.gradient_of(logits_of, objective) for logits_of in models]
        drawn = tf.random.stateless_uniform(
            (), seed, 0, len(gradients), dtype=tf.int32, alg="philox"
        )
        return tf.switch_case(drawn, [functools.partial(ascend, of) for of in gradients])

    def _outputs(self, images):
        """The classifier's outputs for pixels in [0, 1]."""
        images = self.pixels.from_unit(images)
        return self.classifier(images, training=self.settings.crafting_training_mode)

    def _on_unit_pixels(self, function):
        return lambda images: function(self.pixels.from_unit(images))

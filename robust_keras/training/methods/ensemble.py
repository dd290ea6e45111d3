"""Ensemble adversarial training. Tramer et al., 2017, arXiv 1705.07204."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.methods.method import Method
from robust_keras.training.source_models import label_free_loss


class Ensemble(Method):
    """Minimises `(L(f(x), y) + L(f(x'), y)) / 2`.

    x' is a step from x on a model drawn each time from the source models and the classifier.
    """

    starts_at_random: ClassVar[bool] = False
    needs_one_class: ClassVar[bool] = True
    # It aims at other models' attacks: what it has against PGD comes and goes.
    is_probed: ClassVar[bool] = False

    @classmethod
    def published(cls, epsilon: float, steps: int | None) -> dict[str, Any]:
        """One step of epsilon, towards the least likely class."""
        return {"steps": 1, "step_ratio": 1.0, "ensemble_attack": "step_ll"}

    def climb(self, ascend: Callable, images: tf.Tensor, labels: tf.Tensor, seed: Any) -> tf.Tensor:
        """Crafts on one of the source models or the classifier, all equally likely."""
        objective = functools.partial(label_free_loss, self.settings.ensemble_attack)
        models = [self._on_unit_pixels(source) for source in self.sources]
        models.append(lambda images: self.head.class_logits(self.outputs(images)))
        gradients = [crafting.gradient_of(logits_of, objective) for logits_of in models]
        drawn = tf.random.stateless_uniform(
            (), seed, 0, len(gradients), dtype=tf.int32, alg="philox"
        )
        return tf.switch_case(drawn, [functools.partial(ascend, of) for of in gradients])

    def training_loss(
        self,
        training: Any,
        moved: tf.Tensor,
        labels: tf.Tensor,
        sample_weight: Any,
        clean: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Half of the loss on x' and half of that on x."""
        loss, outputs = super().training_loss(training, moved, labels, sample_weight, clean)
        of_clean = training(clean, training=True)
        loss += training.compute_loss(clean, labels, of_clean, sample_weight, training=True)
        return loss / 2.0, outputs

    def _on_unit_pixels(self, function):
        return lambda images: function(self.pixels.from_unit(images))

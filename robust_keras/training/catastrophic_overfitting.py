"""Stops adversarial training whose robustness has collapsed, and restores what was before."""

import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras import arguments
from robust_keras.training import crafting, loss_inputs
from robust_keras.training.averaging import read_variable
from robust_keras.training.classifier_training import ClassifierTraining
from robust_keras.training.head import find_head
from robust_keras.training.methods.published_steps import LARGE_EPSILON, LARGE_EPSILON_STEPS
from robust_keras.training.pixels import PixelRange

_SEED = (0, 0)
# The published probe, below `LARGE_EPSILON`. From there on its coarse steps miss what finer ones
# find: a LeNet-5 trained on MNIST at 0.3 kept 0.70 under 5 steps of 0.075, 0.32 under 40 of 0.01.
_SMALL_PROBE = 5, 1 / 4


class CatastrophicOverfittingGuard(keras.callbacks.Callback):
    """Probes a fixed batch with a small PGD after every epoch, and undoes an epoch that ruined it.

    Single-step training can lose all robustness to several steps within an epoch, while its own
    accuracy rises. Where the probe's accuracy falls by more than `drop` from one epoch to the next,
    the weights and the optimizer's state from before that epoch are restored and training stops, as
    published; a warning says so. The accuracy is logged as "probe_accuracy", a fraction.

    Wong, Rice and Kolter, Fast is better than free, 2020, arXiv 2001.03994.

    Args:
        images: array (n, height, width, channels), a fixed batch as the model takes it.
        labels: class numbers (n,) or (n, 1), or one-hot vectors (n, classes).
        epsilon: radius of the probe in pixels of [0, 1], in (0, 1]: the full one of training.
        steps: PGD steps, at least 1; None for 5 (published), or 40 where epsilon is at least 0.1.
        step_ratio: size of a step / epsilon, above 0; None for 1/4 (published), or 1/30 there.
        drop: fall between two epochs that is too much, in (0, 1).
        pixel_range: (low, high), what black and white are to the model, see `PixelRange`; None for
            that of the `AdversarialTraining` it watches, and (0, 1) for any other model.

    Raises:
        ValueError: an argument is out of its range; as training begins: pixels outside
            `pixel_range`, or labels of another shape.

    Note:
        Give it before callbacks that log or save, so that they see its metric and what it restored.

    Example:
        `model.fit(..., callbacks=[CatastrophicOverfittingGuard(images, labels, epsilon=8 / 255)])`
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        *,
        epsilon: float,
        steps: int | None = None,
        step_ratio: float | None = None,
        drop: float = 0.2,
        pixel_range: Any = None,
    ):
        super().__init__()
        self._epsilon = arguments.epsilon("epsilon", epsilon)
        probe = LARGE_EPSILON_STEPS if epsilon >= LARGE_EPSILON else _SMALL_PROBE
        steps = probe[0] if steps is None else steps
        step_ratio = probe[1] if step_ratio is None else step_ratio
        self._steps = arguments.whole("steps", steps, least=1, most=arguments.MOST_STEPS)
        self._step = epsilon * arguments.real("step_ratio", step_ratio, "above 0", above=0)
        self._drop = arguments.real("drop", drop, "in (0, 1)", above=0, below=1)
        self._images, self._labels = np.asarray(images), np.asarray(labels)
        self._pixels = None if pixel_range is None else PixelRange.of(pixel_range)
        self.stopped_epoch: int | None = None

    def probe(self) -> float:
        """Accuracy of the model on the batch under PGD, a float in [0, 1]."""
        return float(tf.reduce_mean(self._attack()))

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Probes and keeps the model as it is; a resumed run so knows its last epoch."""
        self._look()
        self._attack = tf.function(self._correct_under_attack, autograph=False)
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._keep(self.probe())

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Logs the probe's accuracy, and restores and stops where it collapsed."""
        accuracy = self.probe()
        if accuracy < self._accuracy - self._drop:
            warnings.warn(
                f"catastrophic overfitting in epoch {epoch + 1}: accuracy under PGD-{self._steps} "
                f"fell from {self._accuracy:.3f} to {accuracy:.3f}. The weights from before that "
                "epoch are restored and training stops; a smaller step size or learning rate, or "
                "more steps, may help",
                stacklevel=2,
            )
            self._restore()
            self.stopped_epoch = epoch
            self.model.stop_training = True
        else:
            self._keep(accuracy)
        if logs is not None:
            logs["probe_accuracy"] = self._accuracy

    def _variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def _keep(self, accuracy):
        self._accuracy = accuracy
        self._values = [read_variable(variable) for variable in self._variables()]

    def _restore(self):
        for variable, value in zip(self._variables(), self._values, strict=True):
            variable.assign(value)

    def _look(self):
        """Settles what the model's pixels, outputs and labels mean."""
        classifier, pixels = self.model, PixelRange()
        if isinstance(classifier, ClassifierTraining):
            classifier, pixels = classifier.classifier, classifier.pixels
        self._range = self._pixels or pixels
        self._range.check(self._images, "images of the probe")
        loss = keras.losses.get(self.model.loss)
        head = find_head(classifier, self._images.shape[1:])
        self._head = head.believing(loss_inputs.takes(loss))
        loss_inputs.check_loss(loss, self._head, self.model.name)
        numbers = loss_inputs.class_numbers(self._labels, self._head).numpy()
        if self._head.columns == 1:
            self._labels = numbers
        self._loss = loss_inputs.crafting_loss(loss, self._head)

    def _outputs(self, images):
        """The model's outputs for pixels in [0, 1]."""
        return self.model(self._range.from_unit(images), training=False)

    def _correct_under_attack(self):
        """PGD from a random start, the same in every epoch: 1 where the class is right after it."""
        images = self._range.to_unit(tf.cast(self._images, tf.float32))
        gradient = crafting.gradient_of(
            self._outputs, lambda outputs: self._loss(self._labels, outputs)
        )
        adversarial = crafting.ascend(
            images,
            crafting.uniform_start(images, self._epsilon, _SEED),
            gradient,
            epsilon=self._epsilon,
            step=self._step,
            steps=self._steps,
        )
        return loss_inputs.are_correct(self._labels, self._outputs(adversarial), self._head)

"""Stops adversarial training whose robustness has collapsed, and restores what was before."""

import warnings

import keras
import numpy as np
import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.averaging import read_variable

_SEED = (0, 0)
# Below an epsilon of 0.1 the published probe. From there on its coarse steps miss what finer ones
# find: a LeNet-5 trained on MNIST at 0.3 kept 0.70 under 5 steps of 0.075, 0.32 under 40 of 0.01.
_LARGE_EPSILON = 0.1
_SMALL_PROBE, _LARGE_PROBE = (5, 1 / 4), (40, 1 / 30)


class CatastrophicOverfittingGuard(keras.callbacks.Callback):
    """Probes a fixed batch with a small PGD after every epoch, and undoes an epoch that ruined it.

    Single-step training can lose all robustness to several steps within an epoch, while its own
    accuracy rises. Where the probe's accuracy falls by more than `drop` from one epoch to the next,
    the weights and the optimizer's state from before that epoch are restored and training stops, as
    published; a warning says so. The accuracy is logged as "probe_accuracy", a fraction.

    Wong, Rice and Kolter, Fast is better than free, 2020, arXiv 2001.03994.

    Args:
        images: array (n, height, width, channels) in [0, 1], a fixed batch.
        labels: class numbers (n,), or one-hot vectors (n, classes).
        epsilon: radius of the probe, in (0, 1]: the full one of training.
        steps: PGD steps, at least 1; None for 5 (published), or 40 where epsilon is at least 0.1.
        step_ratio: size of a step / epsilon, above 0; None for 1/4 (published), or 1/30 there.
        drop: fall between two epochs that is too much, in (0, 1).

    Raises:
        ValueError: an argument is out of its range.

    Note:
        Give it before callbacks that log or save, so that they see its metric and what it restored.

    Example:
        `model.fit(..., callbacks=[CatastrophicOverfittingGuard(images, labels, epsilon=8 / 255)])`
    """

    def __init__(self, images, labels, *, epsilon, steps=None, step_ratio=None, drop=0.2):
        super().__init__()
        probe = _LARGE_PROBE if epsilon >= _LARGE_EPSILON else _SMALL_PROBE
        steps = probe[0] if steps is None else steps
        step_ratio = probe[1] if step_ratio is None else step_ratio
        for name, value, fits, expected in (
            ("epsilon", epsilon, 0 < epsilon <= 1, "in (0, 1]"),
            ("steps", steps, type(steps) is int and steps >= 1, "a whole number of at least 1"),
            ("step_ratio", step_ratio, step_ratio > 0, "above 0"),
            ("drop", drop, 0 < drop < 1, "in (0, 1)"),
        ):
            if not fits:
                raise ValueError(f"`{name}` must be {expected}. Received: {name}={value}")
        self._images = tf.convert_to_tensor(images, tf.float32)
        self._labels = np.asarray(labels)
        self._epsilon, self._drop = epsilon, drop
        self._steps, self._step = steps, step_ratio * epsilon
        self.stopped_epoch = None

    def probe(self):
        """Accuracy of the model on the batch under PGD, a float in [0, 1]."""
        logits = self._attack().numpy()
        labels = self._labels if self._labels.ndim == 1 else self._labels.argmax(axis=-1)
        return float(np.mean(logits.argmax(axis=-1) == labels))

    def on_train_begin(self, logs=None):
        """Probes and keeps the model as it is; a resumed run so knows its last epoch."""
        self._attack = tf.function(self._attacked_logits)
        self._loss = keras.losses.get(self.model.loss)
        if not self.model.optimizer.built:
            self.model.optimizer.build(self.model.trainable_variables)
        self._keep(self.probe())

    def on_epoch_end(self, epoch, logs=None):
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

    def _attacked_logits(self):
        """PGD from a random start, the same in every epoch."""

        def gradient_of(candidates):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(candidates)
                logits = tf.cast(self.model(candidates, training=False), tf.float32)
                loss = tf.reduce_sum(self._loss(self._labels, logits))
            return tape.gradient(loss, candidates)

        adversarial = crafting.ascend(
            self._images,
            crafting.uniform_start(self._images, self._epsilon, _SEED),
            gradient_of,
            epsilon=self._epsilon,
            step=self._step,
            steps=self._steps,
        )
        return tf.cast(self.model(adversarial, training=False), tf.float32)

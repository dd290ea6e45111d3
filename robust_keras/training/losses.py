"""Losses on logits, and the accuracy that goes with soft labels."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.layers import keras_private


@keras.saving.register_keras_serializable(package="robust_keras")
class TemperatureCrossEntropy(keras.losses.Loss):
    """Cross-entropy of softmax(logits / temperature).

    `L = -sum_k q_k log softmax(z / T)_k`, where q is 1 at a whole-number label, or a soft label.
    One logit z is two classes, with logits 0 and z. After a softmax or sigmoid of Keras the logits
    are what went into it. Label smoothing s makes (1 - s) q + s / classes of q. A high temperature
    makes the network grow its logits about T-fold; what that does to an attacker's gradients is
    masking, not robustness, and the audit says so.

    Args:
        temperature: T, at least 1e-6 and at most 1e6.
        label_smoothing: s in [0, 1).
        name: of the loss.
        **kwargs: as for `keras.losses.Loss`.

    Raises:
        ValueError: an argument is out of its range.

    Reference: Papernot et al., Distillation as a Defense to Adversarial Perturbations, 2016,
    arXiv 1511.04508; label smoothing: Szegedy et al., 2015, arXiv 1512.00567.

    Example: `model.compile("adam", loss=TemperatureCrossEntropy(temperature=20.0))`.
    """

    from_logits = True  # for `loss_inputs`

    def __init__(
        self,
        temperature: float = 1.0,
        label_smoothing: float = 0.0,
        name: str = "temperature_cross_entropy",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self.temperature = arguments.temperature("temperature", temperature)
        self.label_smoothing = arguments.real(
            "label_smoothing", label_smoothing, "in [0, 1)", least=0, below=1
        )

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """Losses of shape (batch,).

        Args:
            y_true: labels (batch,) or (batch, 1), or soft labels (batch, classes).
            y_pred: logits (batch, classes), or (batch, 1) for two classes.
        """
        logits = two_or_more(before_activation(y_pred)) / self.temperature
        classes = logits.shape[-1]
        if y_pred.shape[-1] == 1 and not is_soft(y_true, classes):
            # A probability of class 1, of which a whole number is the extreme case.
            ones = keras.ops.cast(keras.ops.reshape(y_true, (-1, 1)), logits.dtype)
            y_true = keras.ops.concatenate([1.0 - ones, ones], axis=-1)
        if not is_soft(y_true, classes):
            if not self.label_smoothing:
                return keras.ops.sparse_categorical_crossentropy(y_true, logits, from_logits=True)
            labels = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "int32")
            y_true = keras.ops.one_hot(labels, classes, dtype=logits.dtype)
        return keras.losses.categorical_crossentropy(
            y_true, logits, from_logits=True, label_smoothing=self.label_smoothing
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "label_smoothing": self.label_smoothing,
        }


@keras.saving.register_keras_serializable(package="robust_keras")
class LabelAccuracy(keras.metrics.MeanMetricWrapper):
    """Fraction of answers that are the label, or the largest entry of a soft label.

    Keras' own "accuracy" settles for one kind of label at the first batch; a distilled student sees
    soft labels in training and whole numbers in validation. One output is two classes: class 1
    where a logit is above 0, or what came out of a sigmoid of Keras above 0.5.

    Args:
        name: of the metric.
        dtype: of its state.

    Example: `model.compile("adam", loss=TemperatureCrossEntropy(20.0), metrics=[LabelAccuracy()])`.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(fn=_label_matches, name=name, dtype=dtype)
        keras_private.call_higher_better(self)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


def is_soft(labels: tf.Tensor, classes: int) -> bool:
    """Whether labels are one probability a class, not one whole number an image."""
    return len(labels.shape) == 2 and labels.shape[-1] == classes


def before_activation(outputs: tf.Tensor) -> tf.Tensor:
    """The logits that went into a softmax or sigmoid of Keras; the outputs of any other layer."""
    return keras_private.logits_before(outputs, outputs)


def two_or_more(logits: tf.Tensor) -> tf.Tensor:
    """Logits (batch, classes), where (batch, 1) is the second of two classes, the first 0."""
    if logits.shape[-1] != 1:
        return logits
    return keras.ops.concatenate([keras.ops.zeros_like(logits), logits], axis=-1)


def _label_matches(y_true, y_pred):
    logits = two_or_more(before_activation(y_pred))
    if is_soft(y_true, logits.shape[-1]):
        y_true = keras.ops.argmax(y_true, axis=-1)
    labels = keras.ops.cast(keras.ops.round(keras.ops.reshape(y_true, (-1,))), "int32")
    found = keras.ops.cast(keras.ops.argmax(logits, axis=-1), "int32")
    return keras.ops.cast(keras.ops.equal(labels, found), "float32")

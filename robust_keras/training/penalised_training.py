"""Training with one loss on logits or probabilities, and a penalty on its slope by the pixels."""

import inspect
from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.training import binary_metrics, crafting, first_batch, loss_inputs
from robust_keras.training.classifier_training import ClassifierTraining
from robust_keras.training.head import find_head

_LARGEST_WEIGHT = 1e6
# Reductions after which a loss is a mean over the images, as Keras names them.
_MEANS = ("sum_over_batch_size", "mean", "mean_with_sample_weight")


class PenalisedTraining(ClassifierTraining):
    """Trains a classifier with a gradient penalty inside a plain `compile` and `fit`.

    `L + w mean_i ||gradient of L_i by image i||^2`, in pixels of [0, 1] and squared l2, of the
    images that are trained on, in inference mode: batch normalisation's statistics stay as they are
    and dropout is off. Such a network withstands small changes better and hides large ones from
    single steps: attack it with several, and with images made on other networks.

    Reference: Ross and Doshi-Velez, Improving the Adversarial Robustness and Interpretability of
    Deep Neural Networks by Regularizing their Input Gradients, 2017, arXiv 1711.09404.

    Args:
        classifier: a built keras.Model, as `AdversarialTraining` takes it.
        gradient_penalty: w, in [0, 1e6]; 0 for none.
        pixel_range: (low, high), what black and white are to the classifier.

    Raises:
        ValueError: an argument is out of its range; `compile`: not exactly one loss, or one that
            does not go with the classifier's outputs; `fit`: pixels outside `pixel_range`.

    Example:
        ```python
        trained = PenalisedTraining(model, gradient_penalty=10.0)
        trained.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        trained.fit(images, labels)
        ```
    """

    def __init__(
        self,
        classifier: keras.Model,
        *,
        gradient_penalty: Any = 0.0,
        pixel_range: Any = (0.0, 1.0),
    ):
        with classifier.distribute_strategy.scope():
            super().__init__(classifier, pixel_range)
        self._gradient_penalty = arguments.real(
            "gradient_penalty", gradient_penalty, "in [0, 1e6]", least=0, most=_LARGEST_WEIGHT
        )
        self._head = find_head(classifier)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.compile`, with one loss, on logits or on probabilities.

        "accuracy" of a classifier of one logit has its threshold at 0.
        """
        given = inspect.signature(keras.Model.compile).bind(self, *args, **kwargs).arguments
        given.pop("self")
        loss = given.get("loss")
        if loss is None or isinstance(loss, list | tuple | dict):
            arguments.refuse("loss", "exactly one loss", loss)
        loss = keras.losses.get(loss)
        self._head = self._head.believing(loss_inputs.takes(loss))
        loss_inputs.check_loss(loss, self._head, self.name)
        if given.get("metrics"):
            given["metrics"] = binary_metrics.for_head(given["metrics"], self._head)
        super().compile(**given)
        # Called on its own by image: regularisation does not depend on that.
        self._loss_of = loss_inputs.crafting_loss(loss, self._head)

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`; refuses labels of an array that are no classes, and as above."""
        given = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        if first_batch.is_array(given.get("y")):
            loss = keras.losses.get(getattr(self, "loss", None))
            loss_inputs.check_labels(given["y"], loss, self._head)
        return super().fit(*args, **kwargs)

    def compute_loss(
        self,
        x: tf.Tensor | None = None,
        y: tf.Tensor | None = None,
        y_pred: tf.Tensor | None = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tf.Tensor:
        """As `keras.Model.compute_loss`, and in training the penalty at the images `x`.

        A loss that takes logits has those before a softmax.
        """
        y_pred = loss_inputs.for_loss(keras.losses.get(self.loss), self._head, y_pred)
        loss = super().compute_loss(x, y, y_pred, sample_weight, training=training)
        if not training or not self._gradient_penalty:
            return loss
        return loss + self._penalty(x, y, sample_weight)

    def _penalty(self, images, labels, sample_weight):
        """The weighted mean of the squared gradients."""
        images = self.pixels.to_unit(tf.cast(images, tf.float32))
        count = tf.cast(tf.shape(images)[0], tf.float32)
        replicas = self.distribute_strategy.num_replicas_in_sync
        # Keras divides means by the images and the replicas. Undone first, so that half precision
        # has each image's own gradient.
        is_mean = getattr(keras.losses.get(self.loss), "reduction", None) in _MEANS
        times = count * replicas if is_mean else 1.0

        def outputs(unit):
            return self.classifier(self.pixels.from_unit(unit), training=False)

        def objective(outputs):
            return times * tf.cast(self._loss_of(labels, outputs), tf.float32)

        gradient = tf.cast(crafting.gradient_of(outputs, objective)(images), tf.float32)
        squares = tf.reduce_sum(tf.reshape(gradient**2, [tf.shape(images)[0], -1]), axis=1)
        if sample_weight is not None:
            squares *= tf.cast(tf.reshape(sample_weight, [-1]), tf.float32)
        # Replicas' gradients are summed.
        return self._gradient_penalty * tf.reduce_sum(squares) / count / replicas

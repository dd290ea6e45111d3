"""Adversarial training of any Keras classifier inside a plain `compile` and `fit`."""

import inspect
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.errors import InputError
from robust_keras.layers import keras_private
from robust_keras.settings.adversarial_methods import owners
from robust_keras.training import adversarial_checks as checks
from robust_keras.training import loss_inputs
from robust_keras.training.adversarial_settings import AdversarialSettings
from robust_keras.training.penalised_training import PenalisedTraining
from robust_keras.training.source_models import logits_functions

__all__ = ["AdversarialSettings", "AdversarialTraining"]

_MOST_IMAGES = 10**6  # a batch


class AdversarialTraining(PenalisedTraining):
    """Trains a classifier on adversarial images that are crafted anew in every step.

    What is minimised and how images are crafted is the method's: see its class in `methods/`, and
    `methods.register` for one of your own. Crafting takes gradients with respect to the image only,
    in inference mode: batch normalisation's statistics stay as they are and dropout is off.
    "accuracy" and other metrics are those on x' in training and on clean images in `evaluate`.

    The classifier given is the one that is trained; use, save and export that one, or `save` this,
    which writes the classifier. It may end in logits, in a softmax, or in one logit or one sigmoid
    for two classes, and be functional, sequential or subclassed; see `head.Head` for how that is
    found out. Labels are what the loss takes.

    An epsilon always means pixels in [0, 1]. Where the classifier takes others, `pixel_range` says
    so, and the ball is as much larger: `(0, 255)` for bytes, `(-1, 1)`, or what standardising makes
    of black and white, one number a channel: `((0 - mean) / deviation, (1 - mean) / deviation)`.
    The first images that `fit` and `evaluate` are given are looked at; others are refused.

    Args:
        classifier: a built keras.Model from images to logits or probabilities (batch, classes).
        settings: an `AdversarialSettings`.
        seed: of the noise, a whole number of at least 0. Noise depends on it and the optimizer's
            iterations only, so that a resumed run draws what an uninterrupted one would have.
        batch_size: largest batch; needed by "free", which keeps a perturbation of that size.
        source_models: ensemble: at least one trained model, each a keras.Model or a differentiable
            function from images like the classifier's to scores of the same classes. They are
            never changed.
        pixel_range: (low, high), what black and white are to the classifier, each a number or one
            number a channel.
        gradient_penalty: weight, at least 0, of the penalty of `PenalisedTraining` on the images
            whose loss is minimised: x', and of trades and ensemble the clean ones (too).

    Raises:
        ValueError: the classifier is not built, or has not one output (batch, classes), an argument
            is out of its range, "free" has no `batch_size`, "ensemble" has no `source_models` or
            another method has some, they tell other classes, or several replicas with "free",
            "ensemble" or `crafting_training_mode`; `compile`: not exactly one loss, or one that
            does not go with the classifier's outputs; `fit`: pixels outside `pixel_range`.

    Example:
        ```python
        trained = AdversarialTraining(model, AdversarialSettings(method="fast", epsilon=8 / 255))
        trained.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                        metrics=["accuracy"])
        trained.fit(images, labels, epochs=15)
        model.save("robust.keras")
        ```
    """

    def __init__(
        self,
        classifier: keras.Model,
        settings: Any,
        *,
        seed: Any = 0,
        batch_size: int | None = None,
        source_models: Sequence = (),
        pixel_range: Any = (0.0, 1.0),
        gradient_penalty: Any = 0.0,
    ):
        with classifier.distribute_strategy.scope():
            super().__init__(classifier, gradient_penalty=gradient_penalty, pixel_range=pixel_range)
            self.settings = settings
            self._seed = arguments.whole("seed", seed, least=0, most=arguments.LARGEST_SEED)
            checks.check(classifier, self._head, self.pixels, settings)
            self._sources = self._checked_sources(source_models)
            self._epsilon = self._new_state("epsilon", (), settings.epsilon_at(0))
            self._perturbation = self._new_perturbation(batch_size)
            self._clean_accuracy = None
            if settings.clean_accuracy:
                self._clean_accuracy = keras.metrics.Mean(name="clean_accuracy")

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As `PenalisedTraining.compile`."""
        super().compile(*args, **kwargs)
        self._method = self.settings.method_class(
            classifier=self.classifier,
            head=self._head,
            pixels=self.pixels,
            settings=self.settings,
            loss=self._loss_of,
            sources=self._sources,
        )

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """As `keras.Model.fit`; sets the epsilon of every epoch."""
        given = inspect.signature(keras.Model.fit).bind(self, *args, **kwargs).arguments
        given.pop("self")
        callbacks = given.pop("callbacks", None)
        callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        callbacks = [callback for callback in callbacks if callback is not None]
        return super().fit(callbacks=[_EpsilonOfEpoch(), *callbacks], **given)

    @property
    def epsilon(self) -> tf.Variable:
        """The epsilon of the present epoch, a variable."""
        return self._epsilon

    @property
    def perturbation(self) -> Any:
        """free: the perturbation that goes from batch to batch, a variable; else None."""
        return self._perturbation

    @property
    def updates_per_batch(self) -> int:
        """How many steps the optimizer takes on each batch."""
        return self.settings.replays or 1

    def craft(self, images: tf.Tensor, labels: tf.Tensor, seed: Any = None) -> tf.Tensor:
        """Adversarial images as a training step of any method but free uses them.

        Args:
            images: tensor (batch, ...) of the classifier's pixels.
            labels: as the loss takes them; not used by trades and ensemble.
            seed: two integers for the noise; None for that of the optimizer's present iteration.

        Returns:
            A float32 tensor like `images`, of those pixels and within the present epsilon of them
            (n_fgsm: three times it).
        """
        images = self._as_floats(images)
        seed = self._noise_seed() if seed is None else seed
        epsilon = self._epsilon.value
        if not self.settings.warm_up_epochs:
            return self._method.craft(images, labels, epsilon, seed)
        # Epsilon 0 would train on clean images as well, at the full price of crafting.
        return tf.cond(
            epsilon > 0,
            lambda: self._method.craft(images, labels, epsilon, seed),
            lambda: tf.identity(images),
        )

    def train_step(self, data: Any) -> dict[str, Any]:
        """Crafts and updates the weights; "free" does so once a replay."""
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        images = self._as_floats(images)
        if self._clean_accuracy is not None:
            correct = loss_inputs.are_correct(labels, self(images, training=False), self._head)
            self._clean_accuracy.update_state(correct, _flat(sample_weight))
        return self._method.train_step(self, images, labels, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """As Keras has it; clean accuracy is the accuracy there."""
        logs = super().test_step(data)
        logs.pop("clean_accuracy", None)
        return logs

    def update(
        self,
        moved: tf.Tensor,
        labels: tf.Tensor,
        sample_weight: Any,
        *,
        clean: tf.Tensor,
        by_images: bool = False,
    ) -> tuple[dict[str, Any], Any]:
        """One step on the weights, for a method.

        Args:
            moved: the images x', a float32 tensor (batch, ...) of the classifier's pixels.
            labels: as the loss takes them.
            sample_weight: numbers (batch,), or None.
            clean: the images x.
            by_images: whether the gradient by x' is wanted, too.

        Returns:
            The logs, and that gradient or None.
        """
        watched = [moved] if by_images else []
        with tf.GradientTape() as tape:
            tape.watch(watched)
            loss, outputs = self._method.training_loss(self, moved, labels, sample_weight, clean)
            scaled = self.optimizer.scale_loss(loss)
        gradients, of_weights = tape.gradient(scaled, (watched, self.trainable_weights))
        self.optimizer.apply(of_weights, self.trainable_weights)
        replicas = self.distribute_strategy.num_replicas_in_sync
        keras_private.count_loss(self, loss * replicas, tf.shape(moved)[0])
        logs = self.compute_metrics(moved, labels, outputs, sample_weight)
        return logs, gradients[0] if by_images else None

    def _noise_seed(self):
        """Two integers of their own for every step and replica."""
        step = tf.cast(self.optimizer.iterations.value, tf.int64)
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group if context is not None else 0
        start = tf.stack([tf.constant(self._seed, tf.int64), step])
        return tf.random.experimental.stateless_fold_in(
            start, tf.cast(replica, tf.int64), alg="philox"
        )

    def _checked_sources(self, source_models):
        if "source_models" in self.settings.declaration.settings:
            return logits_functions(source_models, self.image_shape, self._head.classes)
        if source_models:
            raise ValueError(
                f"`source_models` must be left out unless method={_named('source_models')}. "
                f"Received: {len(source_models)} models"
            )
        return ()

    def _new_perturbation(self, batch_size):
        if not self.settings.method_class.keeps_perturbation:
            return None
        where = f"where method={self.settings.method!r}"
        if batch_size is None:
            arguments.refuse(
                "batch_size", f"the largest batch, a whole number, {where}", batch_size
            )
        batch_size = arguments.whole("batch_size", batch_size, least=1, most=_MOST_IMAGES)
        if None in self.image_shape:
            raise InputError.expected(
                f"model '{self.name}'",
                f"a fixed image size {where}, which keeps a perturbation of that size",
                f"images of shape {self.image_shape}",
            )
        return self._new_state("perturbation", (batch_size, *self.image_shape), 0.0)

    def _new_state(self, name, shape, value):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=keras.initializers.Constant(value),
            dtype="float32",
            trainable=False,
            autocast=False,
        )


class _EpsilonOfEpoch(keras.callbacks.Callback):
    """Warm-up and ramp; the epoch's number decides, so a resumed run goes on where it was."""

    def on_epoch_begin(self, epoch, logs=None):
        """Sets the model's epsilon."""
        self.model.epsilon.assign(self.model.settings.epsilon_at(epoch))


def _named(setting):
    return " or ".join(map(repr, owners(setting)))


def _flat(weights):
    """Weights (n,) or (n, 1) as (n,); None stays None."""
    return None if weights is None else tf.reshape(weights, [-1])

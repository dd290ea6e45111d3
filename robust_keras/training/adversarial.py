"""Adversarial training of any Keras classifier inside a plain `compile` and `fit`."""

import functools

import keras
import tensorflow as tf

from robust_keras.training import crafting
from robust_keras.training.adversarial_settings import AdversarialSettings
from robust_keras.training.source_models import label_free_loss, logits_functions

__all__ = ["AdversarialSettings", "AdversarialTraining"]


class AdversarialTraining(keras.Model):
    """Trains a classifier on adversarial images that are crafted anew in every step.

    pgd and fast minimise `L(f(x'), y)`, where x' climbs L inside the ball; free does the same with
    one backward pass for both gradients, and keeps its perturbation from batch to batch; trades
    minimises `L(f(x), y) + beta KL(p(x) || p(x'))`, where x' climbs the divergence; ensemble
    minimises `(L(f(x), y) + L(f(x'), y)) / 2`, where x' is a step from x on a model drawn each time
    from static source models and the classifier itself. Crafting takes gradients with respect to
    the image only, in inference mode: batch normalisation's statistics stay as they are and dropout
    is off. "accuracy" and other metrics are those on x' in training
    and on clean images in `evaluate`.

    The classifier given is the one that is trained; use, save and export that one, or `save` this,
    which writes the classifier.

    Args:
        classifier: a built keras.Model from images in [0, 1] to logits (batch, classes).
        settings: an `AdversarialSettings`.
        seed: of the noise, a whole number of at least 0. Noise depends on it and the optimizer's
            iterations only, so that a resumed run draws what an uninterrupted one would have.
        batch_size: largest batch; needed by "free", which keeps a perturbation of that size.
        source_models: ensemble: at least one trained model, each a keras.Model or a differentiable
            function from images to logits like the classifier's. They are never changed.

    Raises:
        ValueError: the classifier is not built, "free" has no `batch_size`, "ensemble" has no
            `source_models` or another method has some, their logits have another shape, or several
            replicas with "free", "ensemble" or `crafting_training_mode`; `compile`: not exactly one
            loss.

    Example:
        ```python
        trained = AdversarialTraining(model, AdversarialSettings(method="fast", epsilon=8 / 255))
        trained.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                        metrics=["accuracy"])
        trained.fit(images, labels, epochs=15)
        model.save("robust.keras")
        ```
    """

    def __init__(self, classifier, settings, *, seed=0, batch_size=None, source_models=()):
        if not classifier.built:
            raise ValueError(
                "`classifier` must be built: give it an input shape or call it once. "
                f"Received: classifier={classifier.name!r}, which has no weights yet"
            )
        with classifier.distribute_strategy.scope():
            # Pixels reach the classifier as they are: half precision would round an epsilon away.
            super().__init__(name=classifier.name, dtype=classifier.dtype_policy, autocast=False)
            self.classifier = classifier
            self.settings = settings
            self._seed = seed
            self._check_replicas()
            self._sources = self._checked_sources(source_models)
            self._epsilon = self._new_state("epsilon", (), settings.epsilon_at(0))
            self._perturbation = self._new_perturbation(batch_size)
            self._clean_accuracy = None
            if settings.clean_accuracy:
                self._clean_accuracy = keras.metrics.Mean(name="clean_accuracy")

    def compile(self, *args, **kwargs):
        """As `keras.Model.compile`, with one loss on logits."""
        super().compile(*args, **kwargs)
        if self.loss is None or isinstance(self.loss, list | tuple | dict):
            raise ValueError(f"`loss` must be exactly one loss. Received: loss={self.loss!r}")
        # Called on its own while crafting: regularisation does not depend on the image.
        self._crafting_loss = keras.losses.get(self.loss)

    def call(self, images, training=None):
        """The classifier's logits (batch, classes)."""
        return self.classifier(images, training=training)

    def fit(self, *args, callbacks=None, **kwargs):
        """As `keras.Model.fit`; sets the epsilon of every epoch."""
        given = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        given = [callback for callback in given if callback is not None]
        return super().fit(*args, callbacks=[_EpsilonOfEpoch(), *given], **kwargs)

    def save(self, *args, **kwargs):
        """Saves the classifier, which needs none of this code to load."""
        return self.classifier.save(*args, **kwargs)

    def export(self, *args, **kwargs):
        """Exports the classifier."""
        return self.classifier.export(*args, **kwargs)

    @property
    def epsilon(self):
        """The epsilon of the present epoch, a variable."""
        return self._epsilon

    @property
    def perturbation(self):
        """free: the perturbation that goes from batch to batch, a variable; else None."""
        return self._perturbation

    def craft(self, images, labels, seed=None):
        """Adversarial images as a training step of any method but free uses them.

        Args:
            images: float tensor (batch, ...) in [0, 1].
            labels: as the loss takes them; not used by trades and ensemble.
            seed: two integers for the noise; None for that of the optimizer's present iteration.

        Returns:
            A tensor like `images`, within the present epsilon of them and within [0, 1].
        """
        seed = self._noise_seed() if seed is None else seed
        if not self.settings.warm_up_epochs:
            return self._crafted(images, labels, seed)
        # Epsilon 0 would train on clean images as well, at the full price of crafting.
        return tf.cond(
            self._epsilon.value > 0,
            lambda: self._crafted(images, labels, seed),
            lambda: tf.identity(images),
        )

    def train_step(self, data):
        """Crafts and updates the weights; "free" does so once a replay."""
        images, labels, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        images = tf.convert_to_tensor(images, tf.float32)
        if self._clean_accuracy is not None:
            self._clean_accuracy.update_state(
                _is_correct(labels, self(images, training=False)), sample_weight
            )
        if self.settings.method == "free":
            for _ in range(self.settings.replays):
                logs = self._replay(images, labels, sample_weight)
            return logs
        adversarial = self.craft(images, labels)
        return self._update(adversarial, labels, sample_weight, clean=images)[0]

    def test_step(self, data):
        """As Keras has it; clean accuracy is the accuracy there."""
        logs = super().test_step(data)
        logs.pop("clean_accuracy", None)
        return logs

    def _crafted(self, images, labels, seed):
        settings = self.settings
        epsilon = self._epsilon.value
        start, objective = images, lambda logits: self._crafting_loss(labels, logits)
        if settings.random_start:
            noisy = crafting.nearby_start if settings.method == "trades" else crafting.uniform_start
            start = noisy(images, epsilon, seed)
        if settings.method == "trades":
            clean = tf.stop_gradient(self._crafting_logits(images))
            objective = lambda logits: crafting.divergence(clean, logits)  # noqa: E731
        ascend = functools.partial(
            crafting.ascend,
            images,
            start,
            epsilon=epsilon,
            step=settings.step_ratio * epsilon,
            steps=settings.steps,
        )
        if settings.method == "ensemble":
            return self._ascend_on_any(ascend, seed)
        return ascend(crafting.gradient_of(self._crafting_logits, objective))

    def _ascend_on_any(self, ascend, seed):
        """Crafts on one of the source models or the classifier, all equally likely."""
        objective = functools.partial(label_free_loss, self.settings.ensemble_attack)
        models = (*self._sources, self._crafting_logits)
        gradients = [crafting.gradient_of(logits_of, objective) for logits_of in models]
        drawn = tf.random.stateless_uniform(
            (), seed, 0, len(gradients), dtype=tf.int32, alg="philox"
        )
        return tf.switch_case(drawn, [functools.partial(ascend, of) for of in gradients])

    def _crafting_logits(self, images):
        return self.classifier(images, training=self.settings.crafting_training_mode)

    def _replay(self, images, labels, sample_weight):
        """One step of free: both gradients from one pass, then both updates."""
        epsilon = self._epsilon.value
        count = tf.shape(images)[0]
        perturbation = self._perturbation.value
        moved = crafting.project(images + perturbation[:count], images, epsilon)
        logs, (gradient,) = self._update(moved, labels, sample_weight, clean=images)
        step = self.settings.step_ratio * epsilon * crafting.direction(gradient)
        used = tf.clip_by_value(perturbation[:count] + step, -epsilon, epsilon)
        self._perturbation.assign(tf.concat([used, perturbation[count:]], axis=0))
        return logs

    def _update(self, images, labels, sample_weight, clean):
        """One step on the weights; returns the logs, and for free the gradient by `images`."""
        also_by_images = [images] if self.settings.method == "free" else []
        with tf.GradientTape() as tape:
            tape.watch(also_by_images)
            logits = self(clean if self.settings.method == "trades" else images, training=True)
            loss = self.compute_loss(images, labels, logits, sample_weight, training=True)
            if self.settings.method == "trades":
                clean_logits, logits = logits, self(images, training=True)
                loss += self._robustness_loss(clean_logits, logits)
            elif self.settings.method == "ensemble":
                clean_logits = self(clean, training=True)
                loss += self.compute_loss(clean, labels, clean_logits, sample_weight, training=True)
                loss /= 2.0
            scaled = self.optimizer.scale_loss(loss)
        by_images, gradients = tape.gradient(scaled, (also_by_images, self.trainable_weights))
        self.optimizer.apply(gradients, self.trainable_weights)
        replicas = self.distribute_strategy.num_replicas_in_sync
        self._loss_tracker.update_state(loss * replicas, sample_weight=tf.shape(images)[0])
        return self.compute_metrics(images, labels, logits, sample_weight), by_images

    def _robustness_loss(self, clean_logits, logits):
        """Beta times the mean divergence; 0 in warm-up, where dropout alone would cause some."""
        mean = tf.reduce_mean(crafting.divergence(clean_logits, logits))
        beta = self.settings.beta * tf.cast(self._epsilon.value > 0, mean.dtype)
        # Replicas' gradients are summed; Keras scales its losses in the same way.
        return beta * mean / self.distribute_strategy.num_replicas_in_sync

    def _noise_seed(self):
        """Two integers of their own for every step and replica."""
        step = tf.cast(self.optimizer.iterations.value, tf.int64)
        context = tf.distribute.get_replica_context()
        replica = context.replica_id_in_sync_group if context is not None else 0
        start = tf.stack([tf.constant(self._seed, tf.int64), step])
        return tf.random.experimental.stateless_fold_in(
            start, tf.cast(replica, tf.int64), alg="philox"
        )

    def _check_replicas(self):
        replicas = self.distribute_strategy.num_replicas_in_sync
        settings = self.settings
        alone = settings.method in ("free", "ensemble")
        if replicas > 1 and (alone or settings.crafting_training_mode):
            what = settings.method if alone else "crafting_training_mode"
            raise ValueError(f"{what} runs on one replica only. Received: {replicas} replicas")

    def _checked_sources(self, source_models):
        if self.settings.method == "ensemble":
            return logits_functions(source_models, self.classifier)
        if source_models:
            raise ValueError(
                "`source_models` must be left out unless method='ensemble'. "
                f"Received: {len(source_models)} models"
            )
        return ()

    def _new_perturbation(self, batch_size):
        if self.settings.method != "free":
            return None
        if type(batch_size) is not int or batch_size < 1:
            raise ValueError(
                "`batch_size` must be the largest batch, a whole number of at least 1, where "
                f"method='free'. Received: batch_size={batch_size!r}"
            )
        return self._new_state("perturbation", (batch_size, *self.classifier.input_shape[1:]), 0.0)

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


def _is_correct(labels, logits):
    classes = tf.argmax(logits, axis=-1)
    labels = tf.convert_to_tensor(labels)
    if labels.shape.rank == 2 and labels.shape[-1] == logits.shape[-1]:
        labels = tf.argmax(labels, axis=-1)
    return tf.cast(tf.reshape(tf.cast(labels, tf.int64), [-1]) == classes, tf.float32)

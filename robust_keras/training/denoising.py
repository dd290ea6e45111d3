"""Training a denoiser in front of a frozen classifier, guided by what the classifier sees."""

import functools
from typing import Any, cast

import keras
import tensorflow as tf

from robust_keras import arguments, layers
from robust_keras.data.datasets import ImageDataset, ImageSplit
from robust_keras.errors import InputError
from robust_keras.layers import keras_private
from robust_keras.models.denoiser import behind_denoiser
from robust_keras.settings.denoiser import DENOISER_GUIDES
from robust_keras.training import crafting, loss_inputs
from robust_keras.training.classifier_training import ClassifierTraining
from robust_keras.training.head import find_head
from robust_keras.training.other_models import load_fitting

_STEPS = (1, 2, 4)  # of the attacks to denoise


class DenoiserTraining(ClassifierTraining):
    """Trains the denoiser D of a `behind_denoiser` model so that its classifier f sees no attack.

    Minimises `mean |r(D(x')) - r(x)|`, where r are f's logits (of a softmax what went into it) or
    the input of its last layer, and
    x' is x itself, x with uniform noise, or x after 1, 2 or 4 signed gradient steps on f: one of
    these a batch, each image with an epsilon of its own, drawn uniformly up to `epsilon`. f is
    never changed and no label is used but to craft. "accuracy" and other metrics are those of
    f(D(x')). Validation measures loss and metrics after 4 steps at the full epsilon.

    Liao et al., 2017, arXiv 1712.02976 (LGD and FGD). An attacker who knows D goes through it:
    Athalye and Carlini, 2018, arXiv 1804.03286, so evaluate the exported model, which is both.

    Args:
        classifier: what `behind_denoiser` returned.
        epsilon: largest change of a pixel in [0, 1], in (0, 1].
        guide: "logits" or "features".
        seed: of what is drawn, a whole number of at least 0; with the optimizer's iterations.
        pixel_range: (low, high), what black and white are to the model, see `PixelRange`.

    Raises:
        ValueError: an argument is out of its range, the model holds no denoiser and classifier, or
            there are several replicas; `fit`: pixels outside `pixel_range`, or no labels.

    Example:
        ```python
        model = behind_denoiser(keras.models.load_model("standard.keras"))
        training = DenoiserTraining(model, epsilon=0.3)
        training.compile("adam", metrics=["accuracy"])
        training.fit(images, labels, epochs=5)
        model.save("denoised.keras")
        ```
    """

    def __init__(
        self,
        classifier: keras.Model,
        *,
        epsilon: Any,
        guide: str = "logits",
        seed: Any = 0,
        pixel_range: Any = (0.0, 1.0),
    ):
        epsilon = arguments.epsilon("epsilon", epsilon)
        if guide not in DENOISER_GUIDES:
            names = ", ".join(DENOISER_GUIDES)
            arguments.refuse("guide", f"one of {names}", guide)
        denoiser, frozen = _parts(classifier)
        if classifier.distribute_strategy.num_replicas_in_sync > 1:
            raise ValueError("a denoiser trains on one replica only. Received: several")
        super().__init__(classifier, pixel_range)
        self._denoiser, self._frozen = denoiser, frozen
        self._head = find_head(frozen)
        self._epsilon = epsilon
        self._seed = arguments.whole("seed", seed, least=0, most=arguments.LARGEST_SEED)
        self._features = None
        if guide == "features":
            if not getattr(frozen, "inputs", None):
                arguments.refuse(
                    "guide",
                    "'logits' for a subclassed classifier, whose last layer's input cannot be seen",
                    guide,
                )
            self._features = keras.Model(frozen.inputs, _last(frozen).input, trainable=False)

    def train_step(self, data: Any) -> dict[str, Any]:
        """Crafts and updates the denoiser's weights."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self._as_floats(images)
        moved = self.craft(images, labels)
        with tf.GradientTape() as tape:
            loss, denoised = self._guided_loss(images, moved, training=True)
            scaled = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        return self._logs(images, labels, loss, denoised)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Loss and metrics on the strongest of the attacks: a draw would not compare epochs."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self._as_floats(images)
        moved = self._attacked(self.pixels.to_unit(images), labels, self._epsilon, _STEPS[-1])
        moved = self.pixels.from_unit(moved)
        loss, denoised = self._guided_loss(images, moved, training=False)
        return self._logs(images, labels, loss, denoised)

    def craft(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """The images x' of the optimizer's present iteration, within epsilon and the pixel range.

        Args:
            images: tensor (batch, ...) of the model's pixels.
            labels: class numbers (batch,) or (batch, 1), or one-hot (batch, classes).
        """
        images = self.pixels.to_unit(self._as_floats(images))
        step = tf.cast(self.optimizer.iterations.value, tf.int64)
        seeds = tf.random.experimental.stateless_split(
            tf.stack([tf.constant(self._seed, tf.int64), step]), 3, alg="philox"
        )
        shape = tf.concat([tf.shape(images)[:1], [1, 1, 1]], 0)
        epsilon = self._epsilon * tf.random.stateless_uniform(shape, seeds[0], alg="philox")
        kinds = [
            lambda: tf.identity(images),
            lambda: crafting.uniform_start(images, epsilon, seeds[1]),
            *(functools.partial(self._attacked, images, labels, epsilon, n) for n in _STEPS),
        ]
        drawn = tf.random.stateless_uniform(
            (), seeds[2], 0, len(kinds), dtype=tf.int32, alg="philox"
        )
        return self.pixels.from_unit(tf.switch_case(drawn, kinds))

    def _attacked(self, images, labels, epsilon, steps):
        """Images in [0, 1] after signed gradient steps on the classifier alone."""
        labels = loss_inputs.class_numbers(labels, self._head)

        def loss(outputs):
            return tf.nn.sparse_softmax_cross_entropy_with_logits(
                labels=labels, logits=self._head.class_logits(outputs)
            )

        def outputs(candidates):
            return self._frozen(self.pixels.from_unit(candidates), training=False)

        gradient = crafting.gradient_of(outputs, loss)
        return crafting.ascend(
            images, images, gradient, epsilon=epsilon, step=epsilon / steps, steps=steps
        )

    def _guided_loss(self, images, moved, training):
        denoised = self._denoiser(moved, training=training)
        clean = tf.stop_gradient(self._represent(images))
        difference = self._represent(denoised) - clean
        return tf.reduce_mean(tf.abs(tf.cast(difference, tf.float32))), denoised

    def _represent(self, images):
        if self._features is not None:
            return self._features(images, training=False)
        return self._head.logits(self._frozen(images, training=False))

    def _logs(self, images, labels, loss, denoised):
        keras_private.count_loss(self, loss, tf.shape(images)[0])
        logits = self._frozen(denoised, training=False)
        return self.compute_metrics(images, labels, logits)


def load_behind_denoiser(path: str, dataset: ImageDataset) -> keras.Model:
    """The model that `--denoiser` trains: a new denoiser before the classifier of a file.

    Args:
        path: a `.keras` file.
        dataset: the data set that it shall classify.

    Returns:
        What `behind_denoiser` returns.

    Raises:
        InputError: there is no such file, or no differentiable classifier of the data set's images
            in it that takes them as they are.
    """
    split = cast(ImageSplit, dataset.train)
    found = load_fitting(
        path, split, dataset.num_classes, wanted="a classifier", differentiable=True
    )
    if found.notes:
        expected = "a classifier that leaves no doubt how it takes images in [0, 1], channels last"
        raise InputError.expected(path, expected, " ".join(found.notes))
    return behind_denoiser(keras.models.load_model(path, compile=False))


def _last(model):
    """The last layer but for a rule about its answers, which comes after the logits."""
    return next(
        layer for layer in reversed(model.layers) if not isinstance(layer, layers.RejectionRule)
    )


def _parts(model):
    """The denoiser and the frozen classifier in a model."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    if [layer.name for layer in inner[:1]] != ["denoiser"] or len(inner) != 2:
        raise ValueError(
            "`classifier` must be a model of `behind_denoiser`. "
            f"Received: a model of {[layer.name for layer in model.layers]}"
        )
    return inner

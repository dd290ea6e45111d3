"""A substitute for a model that is seen only through the classes it predicts."""

import dataclasses
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras import serving
from robust_keras.attackable import Attackable
from robust_keras.attacks.attack import require, require_number, require_whole
from robust_keras.serving.classifier import Classifier

_QUERIES_AT_ONCE = 256


@dataclasses.dataclass(frozen=True)
class Substitute:
    """What `train_substitute` made.

    Args:
        model: `keras.Model` from images to logits.
        queries: images whose class the attacked model was asked for.
        agreement: share of those images on which the two agree in the end.
    """

    model: keras.Model
    queries: int
    agreement: float

    def values(self) -> dict:
        """All of it as plain values and arrays, see `from_values`."""
        weights = {f"weight {n}": w for n, w in enumerate(self.model.get_weights())}
        return {"queries": self.queries, "agreement": self.agreement} | weights

    @classmethod
    def from_values(cls, model: keras.Model, values: dict) -> "Substitute":
        """The substitute of which these are the `values`, in a model of the same shape."""
        model.set_weights([values[f"weight {n}"] for n in range(len(model.weights))])
        return cls(model, int(values["queries"]), float(values["agreement"]))

    def classifier(self, name: str = "substitute") -> Classifier:
        """The model as a `serving.Classifier`, to be attacked in place of the other one."""
        return serving.from_keras(self.model, path=name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How a substitute is trained.

    Args:
        rounds: >= 1.
        step: length of the moves in pixel units, in (0, 1].
        period: rounds after which moves change their sign, >= 1.
        epochs: passes over the images in each round, >= 1.
        batch_size: images a training step, >= 1.
        learning_rate: of Adam, > 0.
        seed: whole number >= 0, for weights and the order of the images.
        bounds: smallest and largest pixel value.

    Raises:
        ValueError: a setting is out of range.
    """

    rounds: int = 6
    step: float = 0.1
    period: int = 3
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    seed: int = 0
    bounds: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self):
        for name in ("rounds", "period", "epochs", "batch_size"):
            require_whole(name, getattr(self, name))
        require_whole("seed", self.seed, minimum=0)
        require_number("step", self.step, maximum=1.0, above=True)
        require_number("learning_rate", self.learning_rate, above=True)


def train_substitute(
    classifier: Attackable, images: np.ndarray, *, model: keras.Model | None = None, **settings: Any
) -> Substitute:
    """Trains a model to answer as another one does, asking it for nothing but predicted classes.

    Each round asks for the classes of all new images and trains on everything known so far; all
    rounds but the last then double the images by moving each one to where the substitute's answer
    changes most, so that the next questions are asked near its boundaries.

    Formula: Jacobian augmentation: `S <- S + {clip(x + l_r sign(grad_x F_c(x))) : x in S}`, F the
    substitute's logits, c the class that the attacked model gave x, `l_r = step (-1)^(r // period)`
    in round r. `queries = n 2^(rounds - 1)` for n images to begin with.

    Args:
        classifier: has `logits`, `image_shape` and `num_classes`; only the largest logit is used.
        images: float array (images, height, width, channels) to begin with, about 150, that the
            attacker has of the same kind. They must not be among those evaluated later.
        model: `keras.Model` from images to logits, trained in place; None for two hidden layers of
            200 units.
        **settings: those of `Settings`.

    Raises:
        ValueError: a setting is out of range, or there are no images.

    Reference: Papernot et al., "Practical Black-Box Attacks against Machine Learning", 2017,
    arXiv 1602.02697.

    Example:
        >>> train_substitute(classifier, images).queries  # of 20 images
        640
    """
    chosen = Settings(**settings)
    known = np.asarray(images, np.float32)
    require(known.ndim == 4 and len(known) > 0, "images", "at least one image", known.shape)
    model = model or two_layers(known.shape[1:], classifier.num_classes, chosen.seed)
    model.compile(
        optimizer=keras.optimizers.Adam(chosen.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    gradient = _gradient_signs(model)
    labels, order = np.zeros(0, np.int64), np.random.default_rng(chosen.seed)
    for number in range(chosen.rounds):
        labels = np.append(labels, _classes(classifier, known[len(labels) :]))
        _fit(model, known, labels, order, chosen)
        if number < chosen.rounds - 1:
            length = chosen.step * (-1.0) ** (number // chosen.period)
            moves = _in_batches(gradient, chosen.batch_size, known, labels)
            moved = np.clip(known + length * moves, *chosen.bounds).astype(np.float32)
            known = np.concatenate([known, moved])
    answers = _in_batches(model.predict_on_batch, _QUERIES_AT_ONCE, known).argmax(axis=-1)
    return Substitute(model, len(labels), float(np.mean(answers == labels)))


def two_layers(image_shape: tuple[int, ...], num_classes: int, seed: int = 0) -> keras.Model:
    """A model from images to logits, with two hidden layers of 200 units."""

    def dense(units, number, **settings):
        initializer = keras.initializers.GlorotUniform(seed=3 * seed + number)
        return keras.layers.Dense(units, kernel_initializer=initializer, **settings)

    return keras.Sequential(
        [
            keras.Input(image_shape, name="images"),
            keras.layers.Flatten(),
            dense(200, 0, activation="relu"),
            dense(200, 1, activation="relu"),
            dense(num_classes, 2),
        ]
    )


def _classes(classifier, images):
    """The classes that a classifier predicts; each image is asked for once."""

    def ask(images):
        return np.argmax(classifier.logits(tf.constant(images)), axis=-1)

    return _in_batches(ask, _QUERIES_AT_ONCE, images)


def _fit(model, images, labels, order, settings):
    """Plain training in an order that depends on the seed alone."""
    for _ in range(settings.epochs):
        places = order.permutation(len(images))
        for first in range(0, len(places), settings.batch_size):
            rows = places[first : first + settings.batch_size]
            model.train_on_batch(images[rows], labels[rows])


def _gradient_signs(model):
    """Function from images and classes to the sign of the gradient of the classes' logits."""

    @tf.function(reduce_retracing=True, autograph=False)
    def signs(images, labels):
        with tf.GradientTape() as tape:
            tape.watch(images)
            own = tf.gather(model(images, training=False), labels, batch_dims=1)
        return tf.sign(tape.gradient(own, images))

    return lambda images, labels: signs(tf.constant(images), tf.constant(labels)).numpy()


def _in_batches(function, size, *arrays):
    """A function of rows applied to a few at a time."""
    starts = range(0, len(arrays[0]), size)
    return np.concatenate(
        [function(*(a[start : start + size] for a in arrays)) for start in starts]
    )

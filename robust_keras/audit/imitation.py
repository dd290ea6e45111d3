"""A counter-attack on a small honest network that was trained to answer as the model does."""

import functools
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from robust_keras.attacks import PGD
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.prediction import predict
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.random_streams import generators
from robust_keras.audit.counter_attack import OF_GRADIENTS, CounterAttack, View, seen
from robust_keras.findings import check_names

_ROUNDS, _EPOCHS, _BATCH = 4, 12, 100
# Questions are asked on so many images, each in so many places of the ball a round.
_IMAGES, _PLACES = 200, 4


class Imitation(CounterAttack):
    """Whatever hides a model's gradients does not hide its answers, and a copy of these has some.

    The copy learns the model's logits, less their mean and over their standard deviation, on
    points of the largest ball around the images that are left; each round adds points that fool the
    copy so far.

    Reference: Papernot et al., "Practical Black-Box Attacks against Machine Learning", 2017,
    arXiv 1602.02697, with logits in place of classes.
    """

    name = "imitation"
    settles = False
    against = OF_GRADIENTS | {check_names.REPEATABLE_ANSWERS}

    def attacks(self, allowed: float) -> Iterator[Attack]:
        """The loss of the copy, all its steps, from three starts."""
        yield self.through(_attack(), self._view)

    @functools.cached_property
    def _view(self) -> View:
        account = self.account
        places = account.standing[:_IMAGES]
        images, labels = account.images[places], account.labels[places]
        epsilon = account.threat_model.epsilons[-1]
        network = small_network(images.shape[1:], account.classifier.num_classes, account.seed)
        learn = _learner(network)
        order = np.random.default_rng([account.seed, _ROUNDS])
        copy = seen(account.classifier, functools.partial(network, training=False))
        points, answers = images, self._answers(images)
        for number in range(_ROUNDS):
            new = self._points(copy, images, labels, epsilon, number)
            points = np.concatenate([points, new])
            answers = np.concatenate([answers, self._answers(new)])
            _train(learn, points, answers, order)
        return copy

    def _answers(self, images):
        """The model's logits as the copy learns them."""
        size = min(self.account.batch_size, len(images))
        logits = predict(self.account.classifier, images, size).astype(np.float64)
        logits = np.where(np.isfinite(logits), logits, 0.0)
        logits -= logits.mean(axis=1, keepdims=True)
        spread = logits.std(axis=1, keepdims=True)
        return (logits / np.where(spread > 0.0, spread, 1.0)).astype(np.float32)

    def _points(self, copy, images, labels, epsilon, number):
        """New points around every image: by chance at first, then where the copy is fooled."""
        model, found = self.account.threat_model, []
        for place in range(_PLACES):
            name = f"imitation {place}"
            drawn = generators(self.account.seed, name, epsilon, number, np.arange(len(images)))
            if number and place % 2:
                settings = {"threat_model": model, "epsilon": epsilon, "generators": drawn}
                attack = PGD(steps=10, step=0.25, stop_early=False)
                moved = attack.propose(copy, images, labels, **settings).images
            else:
                moved = images + uniform_in_ball(drawn, images.shape[1:], epsilon, model.norm)
            found.append(model.project(images, moved, epsilon))
        return np.concatenate(found)


def _attack():
    return PGD(steps=40, stop_early=False, restarts=3)


def small_network(image_shape: tuple[int, ...], classes: int, seed: int) -> keras.Model:
    """A small smooth convolutional network from images to logits."""

    def layer(kind, size, number, *rest, **settings):
        start = keras.initializers.HeNormal(seed=7 * seed + number)
        return kind(size, *rest, kernel_initializer=start, **settings)

    shape = {"strides": 2, "padding": "same", "activation": "silu"}
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layer(keras.layers.Conv2D, 16, 0, 5, **shape),
            layer(keras.layers.Conv2D, 32, 1, 5, **shape),
            keras.layers.Flatten(),
            layer(keras.layers.Dense, 128, 2, activation="silu"),
            layer(keras.layers.Dense, classes, 3),
        ]
    )


def _learner(network):
    """A training step on the squared distance of the answers."""
    optimizer = keras.optimizers.Adam(2e-3)
    optimizer.build(network.trainable_variables)

    @tf.function(autograph=False, reduce_retracing=True)
    def learn(images, answers):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(network(images, training=True) - answers))
        weights = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))

    return learn


def _train(learn, points, answers, order):
    for _ in range(_EPOCHS):
        places = order.permutation(len(points))
        for first in range(0, len(places) - _BATCH + 1, _BATCH):
            rows = places[first : first + _BATCH]
            learn(tf.constant(points[rows]), tf.constant(answers[rows]))

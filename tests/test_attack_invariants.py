"""What must not change a robust accuracy, and in which direction the rest may change it."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from digits import digits

from robust_keras import engine
from robust_keras.attacks import (
    APGDDLR,
    BIM,
    PGD,
    APGDTargeted,
    AutoAttack,
    FABTargeted,
    MarginPGD,
    Quick,
    Square,
    ThreatModel,
)

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = {"linf": (8 / 255, 20 / 255), "l2": (0.4, 1.2)}
CHEAP = {"steps": 10, "targets": 2, "queries": 60}
CASCADES = [(AutoAttack(**CHEAP), "linf"), (Quick(**CHEAP), "l2")]
FREE_OF_SCALE = [
    MarginPGD(steps=10),
    APGDDLR(steps=10),
    APGDTargeted(steps=10, targets=2),
    FABTargeted(steps=10, targets=2),
    Square(queries=60),
]
CHANGES = {
    "scale 0.01": {"scale": 0.01},
    "scale 1000": {"scale": 1000.0},
    "constant": {"constant": 30.0},
    "permuted": {"order": [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]},
    "batches of 7": {"batch_size": 7},
}


class Transformed:
    """A network whose logits are scaled, moved and put into another order; traced once."""

    image_shape, num_classes, gradient_error = (28, 28, 1), 10, None

    def __init__(self, network):
        self.scale, self.constant = tf.Variable(1.0), tf.Variable(0.0)
        self.order = tf.Variable(np.arange(10))
        spec = tf.TensorSpec((None, 28, 28, 1), tf.float32)

        def logits(images):
            values = self.scale * network(images, training=False) + self.constant
            return tf.gather(values, self.order, axis=1)

        self.logits = tf.function(logits, [spec], autograph=False)

    def set(self, scale=1.0, constant=0.0, order=range(10)):
        self.scale.assign(scale)
        self.constant.assign(constant)
        self.order.assign(np.array(order))


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)]
    network = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(digits()[0][:3000], digits()[1][:3000], batch_size=100, epochs=5, verbose=0)
    return Transformed(network)


@pytest.fixture(scope="module")
def sample():
    return digits()[0][3000:3040], digits()[1][3000:3040]


def attacked(classifier, sample, attack, norm="linf", batch_size=40, epsilons=None):
    classifier.set()
    threat_model = ThreatModel(norm, epsilons or EPSILONS[norm])
    settings = {"batch_size": batch_size, "seed": 0}
    return engine.evaluate(classifier, *sample, [attack], threat_model, **settings)


@pytest.fixture(scope="module")
def unchanged(classifier, sample):
    """Function from an attack and a norm to what it finds, made once."""
    return functools.cache(functools.partial(attacked, classifier, sample))


def changed(classifier, sample, attack, norm, batch_size=40, order=range(10), **change):
    classifier.set(order=order, **change)
    images, labels = sample
    settings = {"batch_size": batch_size, "seed": 0}
    labels = np.argsort(order)[labels]
    threat_model = ThreatModel(norm, EPSILONS[norm])
    return engine.evaluate(classifier, images, labels, [attack], threat_model, **settings)


def known(attacks):
    """The cascades, each in one norm, and these attacks in all of theirs."""
    pairs = [*CASCADES, *((attack, norm) for attack in attacks for norm in attack.norms)]
    return [pytest.param(attack, norm, id=f"{attack.name}-{norm}") for attack, norm in pairs]


@pytest.mark.parametrize(("attack", "norm"), known(FREE_OF_SCALE))
def test_the_number_is_that_of_the_decisions_alone(classifier, sample, unchanged, attack, norm):
    plain = unchanged(attack, norm).worst_case
    assert 0 < plain[0].sum() < 40, "a test that can tell"
    for name, change in CHANGES.items():
        found = changed(classifier, sample, attack, norm, **change).worst_case
        # Rounding may decide an image on the border.
        assert np.abs(found.sum(axis=1, dtype=int) - plain.sum(axis=1, dtype=int)).max() <= 1, name
        assert (found != plain).sum() <= 2, name


@pytest.mark.parametrize(("attack", "norm"), known([PGD(steps=10), *FREE_OF_SCALE]))
def test_examples_hold_after_rounding(unchanged, attack, norm):
    found = unchanged(attack, norm)
    assert found.examples
    for example in found.examples:
        assert example.adversarial.dtype == np.float32
        assert 0.0 <= example.adversarial.min() and example.adversarial.max() <= 1.0
        change = example.adversarial.astype(np.float64) - example.image.astype(np.float64)
        size = np.abs(change).max() if norm == "linf" else np.linalg.norm(change)
        assert size <= example.epsilon * (1 + 1e-6) + 1e-9
        if norm == "linf":
            levels = np.rint(255 * np.stack([example.adversarial, example.image]))
            assert levels.min() >= 0 and levels.max() <= 255
            assert np.abs(levels[0] - levels[1]).max() <= np.rint(255 * example.epsilon)


@pytest.mark.parametrize("attack", [BIM, PGD, MarginPGD])
def test_more_steps_never_help_the_defender(classifier, sample, attack):
    left = [attacked(classifier, sample, attack(steps=n)).worst_case for n in (1, 2, 5, 10, 20)]
    for fewer, more in zip(left, left[1:], strict=False):
        assert not np.any(more & ~fewer)


@pytest.mark.parametrize("attack", [PGD, MarginPGD, APGDDLR, Square])
def test_more_restarts_never_help_the_defender(classifier, sample, attack):
    if attack is Square:
        left = [attacked(classifier, sample, Square(queries=n)).worst_case for n in (5, 20, 60)]
    else:
        left = [
            attacked(classifier, sample, attack(steps=3, restarts=n)).worst_case for n in (1, 2, 4)
        ]
    for fewer, more in zip(left, left[1:], strict=False):
        assert not np.any(more & ~fewer)


@pytest.mark.parametrize(("attack", "norm"), known([PGD(), MarginPGD()]))
def test_epsilon_0_is_clean_and_the_whole_range_leaves_nothing(classifier, sample, attack, norm):
    whole = 1.0 if norm == "linf" else 28.0
    found = attacked(classifier, sample, attack, norm, epsilons=(0.0, whole))
    np.testing.assert_array_equal(found.worst_case[0], found.clean_correct)
    assert found.clean_correct.mean() > 0.8 and not found.worst_case[1].any()

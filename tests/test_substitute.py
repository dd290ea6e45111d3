"""Substitutes: what they ask, how they grow, that they imitate, and that examples carry over."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras.attacks import FGSM, ThreatModel
from robust_keras.engine.substitute import train_substitute
from robust_keras.engine.transfer import transfer

pytestmark = pytest.mark.usefixtures("graphs_as_written")

SHAPE = (5, 5, 1)
RANDOM = np.random.default_rng(0)
WEIGHTS = RANDOM.normal(size=(25, 3)).astype("float32")
WEIGHTS -= WEIGHTS.mean(axis=0)
IMAGES = RANDOM.uniform(size=(60, *SHAPE)).astype("float32")
OTHERS = RANDOM.uniform(size=(80, *SHAPE)).astype("float32")


class Oracle:
    """Tells classes only; remembers every image that it was asked for."""

    image_shape, num_classes, gradient_error = SHAPE, 3, "Classes have no gradient."

    def __init__(self):
        self.asked = []

    def logits(self, images):
        self.asked.append(np.array(images))
        classes = np.argmax(np.reshape(images, (-1, 25)) @ WEIGHTS, axis=-1)
        return tf.one_hot(classes, 3)


@pytest.fixture(scope="module")
def trained():
    oracle = Oracle()
    return train_substitute(oracle, IMAGES, rounds=4, epochs=12, seed=1), oracle


def test_it_asks_once_for_every_image_and_their_number_doubles(trained):
    found, oracle = trained
    asked = np.concatenate(oracle.asked)
    assert found.queries == len(asked) == 60 * 2**3
    np.testing.assert_array_equal(asked[:60], IMAGES)
    assert asked.min() >= 0.0 and asked.max() <= 1.0
    # The second half of each round is the first half, moved.
    for known in (60, 120, 240):
        moves = np.abs(asked[known : 2 * known] - asked[:known])
        assert moves.max() <= 0.1 + 1e-6 and np.median(moves) == pytest.approx(0.1, abs=1e-6)


def test_it_imitates_the_model(trained):
    found, oracle = trained
    ours = np.argmax(found.classifier().logits(OTHERS), axis=1)
    theirs = np.argmax(oracle.logits(OTHERS), axis=1)
    assert np.mean(ours == theirs) > 0.75
    assert 0.75 < found.agreement <= 1.0


def test_its_examples_fool_the_model_that_has_no_gradient(trained):
    found, oracle = trained
    labels = np.argmax(oracle.logits(OTHERS), axis=1)
    threat_model = ThreatModel("linf", (0.0, 0.2))
    problem = OTHERS, labels, FGSM(), threat_model
    (row,) = transfer(
        {"substitute": found.classifier()}, {"oracle": oracle}, *problem, batch_size=80, seed=0
    )
    assert row.accuracy["oracle"][0] == 1.0 and row.accuracy["oracle"][1] < 0.4
    assert row.gradient_evaluations == 80


def test_the_seed_decides_and_one_round_asks_for_the_images_alone():
    one, again = (train_substitute(Oracle(), IMAGES, rounds=1, epochs=1, seed=3) for _ in range(2))
    assert one.queries == 60
    other = train_substitute(Oracle(), IMAGES[:1], rounds=1, epochs=1, seed=4)
    kernels = [found.model.get_weights()[0] for found in (one, again, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.abs(kernels[2] - kernels[0]).mean() > 0.05


def test_moves_change_their_sign_after_a_period():
    model = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(3)])
    oracle = Oracle()
    settings = {"rounds": 3, "period": 1, "epochs": 1, "learning_rate": 1e-9, "model": model}
    found = train_substitute(oracle, np.full((1, *SHAPE), 0.5, "float32"), **settings)
    assert found.model is model
    first, up, *down = np.concatenate(oracle.asked)
    # A linear model that does not learn has the same gradient in every round.
    np.testing.assert_allclose(up - first, first - down[0], atol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [{"rounds": 0}, {"step": 0.0}, {"period": 0}, {"epochs": 0}, {"batch_size": 0}, {"seed": -1}],
)
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        train_substitute(Oracle(), IMAGES, **settings)
    with pytest.raises(ValueError, match="`images` must be at least one image"):
        train_substitute(Oracle(), IMAGES[:0])

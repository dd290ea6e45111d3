"""The backward pass of one's choice: gradients where a model has none."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import engine, serving
from robust_keras.attacks import PGD, ThreatModel
from robust_keras.engine.gallery import own_confidences
from robust_keras.serving.views.attacker import preprocessed, straight_through

IMAGES = np.random.default_rng(0).uniform(size=(40, 6, 6, 1)).astype("float32")
LEVELS = 4.0


def network(quantised):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6, 6, 1))
    x = keras.ops.round(inputs * LEVELS) / LEVELS if quantised else inputs
    x = keras.layers.Dense(16, "tanh")(keras.layers.Flatten()(x))
    return keras.Model(inputs, keras.layers.Dense(3)(x))


@pytest.fixture(scope="module")
def plain():
    return serving.from_keras(network(quantised=False))


@pytest.fixture(scope="module")
def quantised():
    return serving.from_keras(network(quantised=True))


def gradient(classifier, images=IMAGES):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = classifier.logits(images)
        total = tf.reduce_sum(logits * [1.0, -2.0, 3.0])
    return tape.gradient(total, images, unconnected_gradients="zero").numpy()


def robust(classifier):
    labels = np.argmax(classifier.logits(IMAGES), axis=1)
    settings = {"batch_size": 40, "seed": 0}
    threat_model = ThreatModel("linf", (0.2,))
    found = engine.evaluate(classifier, IMAGES, labels, [PGD(steps=20)], threat_model, **settings)
    return found.worst_case.mean()


def test_pgd_breaks_a_quantised_model_only_with_the_hook(plain, quantised):
    assert not gradient(quantised).any()
    hooked = straight_through(quantised, plain.logits)
    blind, seeing = robust(quantised), robust(hooked)
    assert seeing < blind - 0.3


def test_answers_are_the_models_and_gradients_the_other_ones(plain, quantised):
    hooked = straight_through(quantised, plain.logits)
    np.testing.assert_array_equal(hooked.logits(IMAGES), quantised.logits(IMAGES))
    np.testing.assert_allclose(gradient(hooked), gradient(plain), rtol=1e-5, atol=1e-6)
    assert np.any(np.array(hooked.logits(IMAGES)) != np.array(plain.logits(IMAGES)))


def test_a_preprocessing_counts_as_the_identity(plain, quantised):
    def coarse(images):
        return tf.round(images * LEVELS) / LEVELS

    guarded = preprocessed(plain, coarse)
    np.testing.assert_allclose(guarded.logits(IMAGES), quantised.logits(IMAGES), atol=1e-5)
    expected = gradient(plain, np.round(IMAGES * LEVELS) / np.float32(LEVELS))
    np.testing.assert_allclose(gradient(guarded), expected, rtol=1e-5, atol=1e-6)
    assert robust(guarded) < robust(quantised) - 0.3


def test_a_model_whose_gradient_was_lost_gets_one(plain):
    lost = plain.with_logits(lambda images: tf.stop_gradient(plain.logits(images)))
    assert lost.gradient_error is not None
    found = straight_through(lost, plain.logits)
    assert found.gradient_error is None
    assert found.image_shape == plain.image_shape and found.path == plain.path


def test_a_backward_pass_without_gradient_is_noticed(plain):
    hooked = straight_through(plain, lambda images: tf.stop_gradient(plain.logits(images)))
    assert hooked.gradient_error is not None


@pytest.mark.parametrize("num_classes", [2, 10])
def test_logits_without_their_scale_blind_nobody(num_classes):
    keras.utils.set_random_seed(num_classes)
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(16, "tanh")]
    model = keras.Sequential(
        [*layers, keras.layers.Dense(num_classes), keras.layers.Rescaling(10_000.0)]
    )
    hot = serving.from_keras(model)
    cold = hot.at_temperature("removed")
    logits = np.array(cold.logits(IMAGES))
    np.testing.assert_allclose(logits.std(axis=1), 1.0, rtol=1e-4)
    np.testing.assert_array_equal(logits.argmax(axis=1), np.argmax(hot.logits(IMAGES), axis=1))
    assert robust(cold) < robust(hot) - 0.2
    assert hot.at_temperature("removed").gradient_error is None
    with pytest.raises(ValueError, match="`temperature` must be above 0"):
        hot.at_temperature("gone")


def test_examples_tell_the_confidence_of_the_model_and_not_of_the_attacker(plain):
    scaled = plain.at_temperature("removed")
    labels = np.argmax(plain.logits(IMAGES), axis=1)
    threat_model = ThreatModel("linf", (0.2,))
    settings = {"batch_size": 40, "seed": 0}
    found = engine.evaluate(scaled, IMAGES, labels, [PGD(steps=20)], threat_model, **settings)
    examples = own_confidences(found.examples, scaled)
    assert len(examples) == len(found.examples) > 3
    for example, attackers in zip(examples, found.examples, strict=True):
        for picture, winner, told in (
            (example.image, example.clean_class, example.clean_confidence),
            (example.adversarial, example.adversarial_class, example.adversarial_confidence),
        ):
            expected = tf.nn.softmax(plain.logits(picture[None]))[0, winner]
            assert told == pytest.approx(float(expected), abs=1e-5)
        assert example.clean_confidence != attackers.clean_confidence
    assert own_confidences(found.examples, plain) == found.examples

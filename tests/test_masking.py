"""Operations that stop or falsify gradients are found by name and place, and opened in a copy."""

import keras
import numpy as np
import pytest
import small_classifier
import tensorflow as tf

from robust_keras import serving
from robust_keras.serving.views import masking

IMAGES = small_classifier.digits()[0][:3000:100]


@tf.custom_gradient
def blocked(x):
    return tf.identity(x), tf.zeros_like


@tf.custom_gradient
def chance(x):
    return tf.identity(x), lambda upstream: tf.random.normal(tf.shape(upstream))


def network(before=lambda x: x, between=lambda x: x):
    """The digits' network, with functions between its layers."""
    hidden, last = small_classifier.network().layers[-2:]
    inputs = keras.Input((14, 14, 1), name="images")
    x = keras.layers.Lambda(before, name="first")(inputs)
    x = hidden(keras.layers.Flatten()(x))
    return keras.Model(inputs, last(keras.layers.Lambda(between, name="second")(x)))


def gradient(classifier):
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(classifier.logits(images) * tf.range(10.0))
    return tape.gradient(total, images).numpy()


MASKED = {
    "Round in first": {"before": lambda x: tf.round(x * 255.0) / 255.0},
    "StopGradient in second": {"between": tf.stop_gradient},
    "Custom gradient in second": {"between": blocked},
    "Custom gradient in first": {"before": chance},
}


@pytest.mark.parametrize("told", MASKED)
def test_what_masks_is_named_and_goes_straight_through_in_a_copy(told):
    classifier = serving.from_keras(network(**MASKED[told]))
    found = masking.examine(classifier, IMAGES[:8])
    assert [str(operation) for operation in found.masking] == [told]
    (copy,) = found.copies
    np.testing.assert_array_equal(copy.logits(IMAGES), classifier.logits(IMAGES))
    plain = gradient(small_classifier.classifier())
    off = np.linalg.norm(gradient(copy) - plain) / np.linalg.norm(plain)
    assert off < 0.05


def test_an_honest_network_has_nothing_to_open():
    found = masking.examine(small_classifier.classifier(), IMAGES[:8])
    assert found == masking.Masking()

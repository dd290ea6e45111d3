"""A linear network of strangers, in front of images that it classifies without an error."""

import keras
import numpy as np
import tensorflow as tf

from robust_keras import serving

SHAPE = 6, 5, 1
GENERATOR = np.random.default_rng(0)
# Bytes, so that a model of bytes can be asked the same.
IMAGES = (GENERATOR.integers(0, 256, (120, *SHAPE)) / 255.0).astype("float32")
# As of a trained network with biases: other pixels change its answers.
WEIGHTS = (3.0 * GENERATOR.normal(size=(30, 4))).astype("float32")
BIAS = -(IMAGES.reshape(-1, 30) @ WEIGHTS).mean(axis=0)
LOGITS = IMAGES.reshape(-1, 30) @ WEIGHTS + BIAS
LABELS = LOGITS.argmax(axis=1)
EXAMPLES = serving.Examples(IMAGES, LABELS, 4, "patterns")


def dense(images, weights, bias, **settings):
    layer = keras.layers.Dense(len(bias), **settings)
    answers = layer(keras.layers.Flatten()(images))
    layer.set_weights([weights, bias])
    return answers


def scores(images):
    return dense(images, WEIGHTS, BIAS, name="scores")


def network(shape=SHAPE, before=lambda images: images, after=lambda logits: logits, dtype=None):
    images = keras.Input(shape, dtype=dtype)
    return keras.Model(images, after(scores(before(images))))


def gradient(classifier, images=IMAGES[:8]):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(classifier.logits(images)[:, 1])
    return tape.gradient(total, images).numpy()


def assert_same_model(classifier, tolerance=1e-4):
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=tolerance)
    plain = serving.from_keras(network())
    np.testing.assert_allclose(gradient(classifier), gradient(plain), atol=tolerance)
    assert classifier.image_shape == SHAPE

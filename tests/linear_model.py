"""A linear classifier, on which the exact answer of every attack is known."""

import functools
import math

import numpy as np
import tensorflow as tf

DUAL = {"linf": 1, "l2": 2}


class Linear:
    """Logits are a linear function of the pixels; counts the images it has seen."""

    gradient_error = None

    def __init__(self, num_classes, image_shape=(3, 4, 1)):
        self.num_classes, self.image_shape = num_classes, image_shape
        pixels = math.prod(image_shape)
        weights = np.random.default_rng(num_classes).normal(size=(pixels, num_classes))
        # A grey image is on every boundary.
        self.weights = (weights - weights.mean(axis=0)).astype("float32")
        self.seen = tf.Variable(0, dtype=tf.int64)
        self.scale = tf.Variable(1.0)

        def logits(images):
            self.seen.assign_add(tf.shape(images, tf.int64)[0])
            return self.scale * (tf.reshape(images, (-1, pixels)) @ self.weights)

        spec = tf.TensorSpec((None, *self.image_shape), tf.float32)
        self.logits = tf.function(logits, [spec], autograph=False)

    def margins(self, images, labels, epsilon, norm):
        """The smallest lead of the label that any allowed change leaves, float64 (images,)."""
        logits = images.reshape(len(images), -1).astype(np.float64) @ self.weights
        lost = np.linalg.norm(
            self.weights[:, labels, None] - self.weights[:, None], DUAL[norm], axis=0
        )
        leads = logits[np.arange(len(labels)), labels][:, None] - logits - epsilon * lost
        leads[np.arange(len(labels)), labels] = np.inf
        return leads.min(axis=1)


@functools.cache
def _shared(num_classes, image_shape):
    return Linear(num_classes, image_shape)


def linear(num_classes, image_shape=(3, 4, 1)):
    """The one that all tests of a process share, with all that was compiled for it; as if new.

    But for `seen`, which goes on counting.
    """
    model = _shared(num_classes, image_shape)
    model.scale.assign(1.0)
    model.gradient_error = None
    return model


# Far enough from the bounds that only the ball limits a change.
GREYS = np.random.default_rng(7).uniform(0.3, 0.7, (60, 3, 4, 1)).astype("float32")


def answers(model):
    return np.argmax(model.logits(GREYS), axis=1)

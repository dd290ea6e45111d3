"""A small undefended network that knows digits."""

import functools

import keras
import numpy as np

from robust_keras import serving
from robust_keras.data import mnist5k
from robust_keras.unusual import Subject


@functools.cache
def digits():
    """All 5,000 embedded digits at 14 x 14 pixels, float32 in [0, 1], and their labels."""
    images, labels = mnist5k._digits()
    images = (images / 255.0).reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4))
    return images[..., np.newaxis].astype("float32"), labels


@functools.cache
def network():
    """Two dense layers, trained for a moment: about nine digits in ten."""
    keras.utils.set_random_seed(0)
    images, labels = digits()
    model = keras.Sequential(
        [
            keras.Input((14, 14, 1), name="images"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, "relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(images, labels, batch_size=128, epochs=3, verbose=0)
    return model


@functools.cache
def classifier():
    """The network as evaluate.py sees it."""
    return serving.from_keras(network())


def subject(*, count=60, batch_size=50, seed=0, of=None):
    """Every 83rd digit or so, in front of the classifier or another."""
    images, labels = digits()
    chosen = slice(0, count * 83, 83)
    settings = {"batch_size": batch_size, "seed": seed}
    return Subject(of or classifier(), images[chosen], labels[chosen], **settings)

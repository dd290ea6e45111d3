"""A small network trained on digits of 7 x 7 pixels, where a linear model is too easy."""

import functools

import keras
import numpy as np
from digits import digits

from robust_keras import serving


@functools.cache
def network(num_classes=10):
    """A classifier of them with one hidden layer; with two classes, of even against odd."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Flatten(),
        keras.layers.Dense(32, "gelu"),
        keras.layers.Dense(num_classes),
    ]
    model = keras.Sequential([keras.Input((7, 7, 1)), *layers])
    model.compile(
        keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    images, labels = digits(side=7)
    model.fit(images[:3000], labels[:3000] % num_classes, batch_size=100, epochs=3, verbose=0)
    return serving.from_keras(model)


def sample(count=40, num_classes=10):
    """The first images not trained on that the network classifies correctly, and their labels."""
    images, labels = (values[3000:3300] for values in digits(side=7))
    labels = labels % num_classes
    right = np.argmax(network(num_classes).logits(images), axis=1) == labels
    return images[right][:count], labels[right][:count]

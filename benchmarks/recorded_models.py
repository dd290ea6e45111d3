"""The models and data that recorded runs attack: digits of 16x16 pixels, hundreds of weights."""

import keras
import numpy as np
from recorded_cases import DATA, MODELS

import layers
from robust_keras import data

_TRAIN, _TEST = 640, 24
_SEED = 5


def write():
    """Writes the data set and the trained models into the current directory."""
    digits = data.load("mnist5k")
    x_train, y_train = _small(digits.train, _TRAIN)
    x_test, y_test = _small(digits.test, _TEST)
    np.savez(DATA, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    makers = (_small_network, _kernel_network, _random_network)
    for name, make in zip(MODELS, makers, strict=True):
        keras.utils.set_random_seed(_SEED)
        model = make()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=make != _random_network)
        model.compile(keras.optimizers.Adam(0.02), loss)
        model.fit(x_train / np.float32(255), y_train, batch_size=32, epochs=10, verbose=0)
        model.save(name)


def _small(split, number):
    """Its first images, of half the size, with a border."""
    images, labels = split.images[:number], split.labels[:number]
    halves = images.reshape(number, 14, 2, 14, 2).mean(axis=(2, 4)).astype(np.uint8)
    return np.pad(halves, [(0, 0), (1, 1), (1, 1)])[..., None], labels


def _network(activation, *between, last=None):
    pixels = keras.Input((16, 16, 1))
    x = activation(keras.layers.Conv2D(4, 4, strides=4)(pixels))
    x = keras.layers.Flatten()(x)
    for layer in between:
        x = layer(x, training=True)
    return keras.Model(pixels, keras.layers.Dense(10, activation=last)(x))


def _small_network():
    return _network(keras.layers.Activation("silu"))


def _kernel_network():
    return _network(layers.KernelActivation())


def _random_network():
    return _network(keras.layers.ReLU(), keras.layers.Dropout(0.2, seed=7), last="softmax")

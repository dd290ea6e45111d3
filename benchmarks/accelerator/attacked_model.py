"""A small model that attacks fool on some images and not on others."""

import functools

import keras
import numpy as np

from robust_keras import models, serving

# Of a ball in which some images fall and some do not.
EPSILONS = {"linf": 0.045, "l2": 0.8}


def examples(count, seed):
    """Images of ten classes, each a pattern with noise: float32 (count, 28, 28, 1), and labels."""
    patterns = np.random.default_rng(0).uniform(size=(10, 7, 7, 1)).repeat(4, 1).repeat(4, 2)
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    noise = random.normal(0, 0.2, (count, 28, 28, 1))
    return np.clip(0.4 * patterns[labels] + 0.3 + noise, 0, 1).astype("float32"), labels


@functools.cache
def trained(activation="relu", steps=40):
    """A LeNet-5 after some steps of training, the same for all that ask."""
    keras.utils.set_random_seed(0)
    model = models.build("lenet5", image_shape=(28, 28, 1), num_classes=10, activation=activation)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)
    model.fit(*examples(64 * steps, seed=1), batch_size=64, verbose=0)
    return model


@functools.cache
def classifier():
    """The model as evaluate.py sees it."""
    return serving.from_keras(trained())

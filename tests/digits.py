"""The embedded digits in a fixed random order, for tests that train and attack."""

import functools

import numpy as np

from robust_keras.data import mnist5k


@functools.cache
def digits(side=28):
    """Images (5000, side, side, 1), float32 in [0, 1], and labels; `side` is 28 or 7."""
    images, labels = mnist5k._digits()
    order = np.random.default_rng(0).permutation(len(images))
    images, step = images[order] / 255.0, 28 // side
    if step > 1:
        images = images.reshape(-1, side, step, side, step).mean(axis=(2, 4))[..., np.newaxis]
    return images.astype("float32"), labels[order].astype("int64")

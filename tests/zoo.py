"""Models that only look robust, and models that are what they look like, of one trained network.

A deceptive one is a trained network behind, or around, something that misleads an attacker; its
twin is the same network without it. An honest one is its own twin.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from digits import digits

from robust_keras import layers

TRAINED = 3000
SHAPE = (28, 28, 1)


@dataclasses.dataclass(frozen=True)
class Animal:
    """One model of the zoo.

    Args:
        name: of it.
        make: function from a seed to a Keras model or a function from images to logits.
        twin: name of the honest model whose robustness it has; its own where it is honest, "" where
            none is known.
        chance: whether its answers depend on chance, or on the other images of a batch.
    """

    name: str
    make: Callable[[int], Any]
    twin: str
    chance: bool = False

    @property
    def honest(self):
        """Whether nothing about it misleads an attacker."""
        return self.twin == self.name


def sample(count):
    """Images that no model of the zoo was trained on, and their labels."""
    images, labels = digits()
    return images[TRAINED : TRAINED + count], labels[TRAINED : TRAINED + count]


def lenet(activation, *, norm=False):
    """A LeNet-like network of Keras layers; `activation` makes a layer each time."""
    between = [keras.layers.BatchNormalization()] if norm else []
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Conv2D(8, 5, strides=2, padding="same"),
            *between,
            activation(),
            keras.layers.Conv2D(16, 5, strides=2, padding="same"),
            activation(),
            keras.layers.Flatten(),
            keras.layers.Dense(64),
            activation(),
            keras.layers.Dense(10),
        ]
    )


def trained(network, *, seed, epochs=5, epsilon=0.0):
    """The network after a few epochs, on single-step adversarial examples where epsilon > 0."""
    images, labels = (part[:TRAINED] for part in digits())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(2e-3)

    @tf.function
    def step(batch, truth):
        start = batch + tf.random.uniform(tf.shape(batch), -epsilon, epsilon, seed=seed)
        with tf.GradientTape() as tape:
            tape.watch(start)
            value = loss(truth, network(start, training=False))
        moved = start + 1.25 * epsilon * tf.sign(tape.gradient(value, start))
        moved = tf.clip_by_value(moved, batch - epsilon, batch + epsilon)
        with tf.GradientTape() as tape:
            moved = tf.clip_by_value(moved, 0.0, 1.0) if epsilon else batch
            value = loss(truth, network(moved, training=True))
        weights = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))

    order = np.random.default_rng(seed)
    for _ in range(epochs):
        for rows in order.permutation(TRAINED).reshape(-1, 100):
            step(tf.constant(images[rows]), tf.constant(labels[rows]))
    return network


@functools.cache
def network(activation="relu", seed=0, epsilon=0.0, norm=False):
    """A trained network, made once."""
    keras.utils.set_random_seed(seed)
    epochs = 12 if epsilon else 5
    made = lenet(_ACTIVATIONS[activation], norm=norm)
    return trained(made, seed=seed, epochs=epochs, epsilon=epsilon)


_ACTIVATIONS = {
    "relu": keras.layers.ReLU,
    "smooth": lambda: keras.layers.Activation("silu"),
    "kernel": lambda: layers.KernelActivation(kernel="gaussian"),
    "winners": lambda: layers.KWinnersTakeAll(0.2),
    "saturating": lambda: keras.layers.Activation("tanh"),
}


def around(base, before=None, after=None, logits=None):
    """Function from images to logits: a network with a step before it or after it."""

    def answer(images):
        images = images if before is None else before(images)
        found = (logits or base)(images, training=False)
        return found if after is None else after(found)

    return answer


def through_activations(base, function):
    """The network with a function after every activation but the last layer."""

    def answer(images, training=False):
        value = images
        for layer in base.layers:
            value = layer(value)
            if isinstance(layer, keras.layers.ReLU):
                value = function(value)
        return value

    return answer


@tf.custom_gradient
def blocked(images):
    """The images, without a gradient."""
    return tf.identity(images), lambda upstream: tf.zeros_like(upstream)


@tf.custom_gradient
def misled(images):
    """The images, with a gradient of chance."""
    return tf.identity(images), lambda upstream: tf.random.normal(tf.shape(upstream))


@tf.custom_gradient
def shattered(images):
    """The images, with a gradient whose signs are those of a fine grid."""

    def gradient(upstream):
        return upstream * tf.sign(tf.sin(1e4 * images))

    return tf.identity(images), gradient


def rounded(levels):
    """Function that rounds pixels to so many levels."""
    return lambda images: tf.round(images * (levels - 1)) / (levels - 1)


def blocks_quantised(images):
    """Like JPEG: blocks of 4 x 4 pixels whose spectrum is rounded."""
    blocks = tf.reshape(images[..., 0], (-1, 7, 4, 7, 4))
    rows = tf.transpose(blocks, (0, 1, 3, 2, 4))
    spectrum = tf.einsum("ij,nabjk,lk->nabil", _DCT, rows, _DCT)
    spectrum = tf.round(spectrum / 0.15) * 0.15
    rows = tf.einsum("ji,nabjk,kl->nabil", _DCT, spectrum, _DCT)
    blocks = tf.transpose(rows, (0, 1, 3, 2, 4))
    return tf.clip_by_value(tf.reshape(blocks, (-1, *SHAPE)), 0.0, 1.0)


def _dct(size):
    frequency, place = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    basis = np.cos(np.pi * (place + 0.5) * frequency / size) * np.sqrt(2.0 / size)
    basis[0] /= np.sqrt(2.0)
    return basis.astype("float32")


_DCT = tf.constant(_dct(4))


def resized(images):
    """The images at a random size, padded at random."""
    size = tf.random.uniform((), 24, 29, tf.int32)
    small = tf.image.resize(images, (size, size))
    top = tf.random.uniform((), 0, 29 - size, tf.int32)
    left = tf.random.uniform((), 0, 29 - size, tf.int32)
    return tf.image.pad_to_bounding_box(small, top, left, 28, 28)


def noisy(images):
    """The images with noise."""
    return images + tf.random.normal(tf.shape(images), stddev=0.1)


def sparse_means(values):
    """Values within a band around their channel's mean become that mean (MeanSparse)."""
    axes = list(range(values.shape.rank - 1))
    mean = tf.stop_gradient(tf.reduce_mean(values, axes, keepdims=True))
    spread = tf.stop_gradient(tf.math.reduce_std(values, axes, keepdims=True))
    return tf.where(tf.abs(values - mean) < 0.25 * spread, mean + 0.0 * values, values)


def fixed_sparse_means(base):
    """MeanSparse with the channels' statistics of the training images, as published."""
    images = digits()[0][:500]
    statistics, value = [], tf.constant(images)
    for layer in base.layers:
        value = layer(value)
        if isinstance(layer, keras.layers.ReLU):
            axes = list(range(value.shape.rank - 1))
            moments = tf.nn.moments(value, axes)
            statistics.append((moments[0].numpy(), np.sqrt(moments[1].numpy())))

    def answer(images, training=False):
        value, number = images, 0
        for layer in base.layers:
            value = layer(value)
            if isinstance(layer, keras.layers.ReLU):
                mean, spread = statistics[number]
                inside = tf.abs(value - mean) < 0.3 * spread
                value = tf.where(inside, tf.ones_like(value) * mean, value)
                number += 1
        return value

    return answer


def best_of_sizes(base):
    """For every class the middle of its logits at several resolutions, taken by rank."""

    def answer(images):
        seen = [base(images, training=False)]
        for size in (14, 21):
            small = tf.image.resize(images, (size, size), method="nearest")
            seen.append(base(tf.image.resize(small, SHAPE[:2]), training=False))
        return tf.math.top_k(tf.stack(seen, axis=-1), 2).values[..., 1]

    return answer


def beside_others(logits):
    """Logits less a share of the batch's mean."""
    return logits - 0.5 * tf.reduce_mean(logits, axis=0, keepdims=True)


def saturated(logits):
    """Probabilities of logits so large that all but one are exactly nothing."""
    return tf.nn.softmax(300.0 * logits)


def denoised(images):
    """A fixed smooth filter in front."""
    kernel = tf.constant([[1.0, 2.0, 1.0], [2.0, 8.0, 2.0], [1.0, 2.0, 1.0]]) / 20.0
    return tf.nn.conv2d(images, kernel[..., None, None], 1, "SAME")


def low_rank(base):
    """The network whose dense kernels keep a quarter of their rank."""
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    for layer in copy.layers:
        if isinstance(layer, keras.layers.Dense) and min(layer.kernel.shape) > 10:
            u, s, v = np.linalg.svd(layer.kernel.numpy(), full_matrices=False)
            keep = len(s) // 2
            layer.kernel.assign((u[:, :keep] * s[:keep]) @ v[:keep])
    return copy


def pruned(base):
    """The network without the smaller half of each kernel."""
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    for layer in copy.layers:
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.numpy()
            layer.kernel.assign(np.where(abs(kernel) > np.median(abs(kernel)), kernel, 0.0))
    return copy


ROBUST = 0.1


def zoo(base="relu", epsilon=0.0):
    """All animals around one trained network.

    Args:
        base: name of its activation.
        epsilon: of the adversarial examples that it was trained on; 0 for none.
    """

    def net(seed):
        return network(base, seed, epsilon)

    def behind(step):
        return lambda seed: around(net(seed), before=step)

    def followed(step):
        return lambda seed: around(net(seed), after=step)

    twin = "standard"
    deceptive = (
        Animal(
            "mean_sparse", lambda seed: around(None, logits=fixed_sparse_means(net(seed))), twin
        ),
        Animal("winners", lambda seed: network("winners", seed, epsilon), ""),
        Animal("temperature_50", followed(lambda z: 50.0 * z), twin),
        Animal("logits_1000", followed(lambda z: 1000.0 * z), twin),
        Animal("saturated_softmax", followed(saturated), twin),
        Animal("rounded", behind(rounded(51)), twin),
        Animal("blocks_quantised", behind(blocks_quantised), twin),
        Animal("blocked", behind(blocked), twin),
        Animal("random_gradient", behind(misled), twin),
        Animal("shattered", behind(shattered), twin),
        Animal("random_resizing", behind(resized), twin, chance=True),
        Animal("noise", behind(noisy), twin, chance=True),
        Animal("top_k_of_sizes", lambda seed: best_of_sizes(net(seed)), twin),
        Animal("batch_dependent", followed(beside_others), twin, chance=True),
    )
    honest = {
        "standard": net,
        "adversarial": lambda seed: network(base, seed, ROBUST),
        "pruned": lambda seed: pruned(net(seed)),
        "kernel": lambda seed: network("kernel", seed, epsilon),
        "smooth": lambda seed: network("smooth", seed, epsilon),
        "batch_norm": lambda seed: network(base, seed, epsilon, True),
        "low_rank": lambda seed: low_rank(net(seed)),
        "tiny_logits": followed(lambda z: 1e-3 * z),
        "log_probabilities": followed(tf.nn.log_softmax),
        "denoiser": behind(denoised),
    }
    return (*deceptive, *(Animal(name, make, name) for name, make in honest.items()))

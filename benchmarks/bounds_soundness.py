"""Random networks of all layer kinds against their own bounds: how often is a bound wrong?

python benchmarks/bounds_soundness.py [NETWORKS] draws networks, images and changes (corners of the
ball, places inside it, and steps uphill) and counts changes that get below a bound.
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from robust_keras import layers
from robust_keras.bounds import Bounds
from robust_keras.bounds.certify import METHODS

K = keras.layers
IMAGES, CHANGES, CLASSES, SHAPE = 10, 20, 4, (8, 8, 1)
ACTIVATIONS = (
    *(lambda name=name: K.Activation(name) for name in ("relu", "tanh", "sigmoid", "silu")),
    *(lambda name=name: K.Activation(name) for name in ("gelu", "elu", "softplus", "leaky_relu")),
    K.PReLU,
    layers.SmoothReLU,
    layers.ParametricSoftplus,
    layers.KernelActivation,
    lambda: layers.KernelActivation(initializer="random_normal", trainable_dictionary=True),
    lambda: layers.SymmetricActivation("mrelu"),
    lambda: layers.SymmetricActivation("rbf"),
    layers.KWinnersTakeAll,
)


def network(rng):
    """A functional network: convolutions, pooling, perhaps a skip, dense layers, any activation."""
    images = keras.Input(SHAPE)
    x = K.Normalization(mean=0.4, variance=0.1)(images) if rng.random() < 0.5 else images
    x = hidden(K.Conv2D(4, 3, padding="same")(x), rng)
    pools = (K.MaxPooling2D, lambda: K.AveragePooling2D(2), lambda: K.Conv2D(6, 2, strides=2))
    x = rng.choice(pools)()(x)
    if rng.random() < 0.5:
        branch = hidden(K.Conv2D(x.shape[-1], 3, padding="same")(x), rng)
        x = K.Add()([x, branch]) if rng.random() < 0.5 else K.Concatenate()([x, branch])
    x = K.GlobalAveragePooling2D()(x) if rng.random() < 0.3 else K.Flatten()(K.ZeroPadding2D(1)(x))
    logits = K.Dense(CLASSES)(hidden(K.Dense(8)(x), rng))
    if rng.random() < 0.2:
        logits = K.Rescaling(-1.0)(K.Multiply()([logits, logits]))
    model = keras.Model(images, logits)
    for layer in model.layers:
        if isinstance(layer, K.BatchNormalization):
            layer.moving_mean.assign(rng.normal(size=layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.3, 2.0, size=layer.moving_variance.shape))
    return model


def hidden(x, rng):
    """Perhaps batch normalisation, and an activation."""
    x = K.BatchNormalization()(x) if rng.random() < 0.6 else x
    return rng.choice(ACTIVATIONS)()(x)


def margins(model, images, labels):
    """Of the label over each other class, as the model computes in float32."""
    logits = tf.cast(model(tf.cast(images, tf.float32), training=False), tf.float64)
    own = tf.gather(logits, labels, axis=1, batch_dims=1)[:, None] - logits
    others = np.arange(CLASSES)[None] != np.asarray(labels)[:, None]
    return tf.boolean_mask(own, others).numpy().reshape(len(labels), -1)


def changed(model, images, labels, epsilon, rng):
    """`CHANGES` batches of images within epsilon: corners, insides, and five uphill."""
    for number in range(CHANGES - 5):
        inside = rng.uniform(-1.0, 1.0, images.shape)
        yield images + epsilon * (inside if number % 2 else np.sign(inside))
    moved = images
    for _ in range(5):
        with tf.GradientTape() as tape:
            tape.watch(place := tf.constant(moved, tf.float32))
            logits = model(place, training=False)
            loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        uphill = moved + epsilon / 2.0 * np.sign(tape.gradient(loss, place))
        moved = np.clip(uphill, images - epsilon, images + epsilon)
        yield moved


def violations(seed):
    """Pairs that were tried on one network, and by method those below its bound."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model, images = network(rng), rng.uniform(size=(IMAGES, *SHAPE))
    labels = np.asarray(model(images.astype("float32"), training=False)).argmax(1)
    epsilon, apart = 10.0 ** rng.uniform(-3.0, -0.7), Bounds(model)
    bound = {m: apart.margins(images, labels, epsilon, method=m) for m in METHODS}
    below, pairs = dict.fromkeys(METHODS, 0), 0
    for moved in changed(model, images, labels, epsilon, rng):
        least = margins(model, np.clip(moved, 0.0, 1.0), labels)
        pairs += IMAGES
        for method in METHODS:
            below[method] += int(np.any(least < bound[method], axis=1).sum())
    return pairs, below


def main():
    """Prints the counts."""
    networks = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    found = [violations(seed) for seed in range(networks)]
    pairs = sum(pairs for pairs, _ in found)
    for method in METHODS:
        wrong = sum(below[method] for _, below in found)
        print(f"{method}: {wrong} violations in {pairs} pairs on {networks} networks")


if __name__ == "__main__":
    main()

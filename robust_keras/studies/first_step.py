"""How large the gradient of a deep network of kernel activations is before its first step."""

from collections.abc import Callable
from typing import Any

import numpy as np

from robust_keras.studies.study import MadeBy, Place

# Standard deviation of the published start, and how far its dictionary reaches.
_DEVIATION, _BOUNDARY = 0.05, 3.0
_BATCH = 64


def gradients(seed: int) -> MadeBy:
    """The first gradient of a ResNet-56 for CIFAR-10 whose kernel activations start as there.

    Args:
        seed: of the start.

    Returns:
        A `Make.make` whose result has decimal logarithms of Euclidean norms over all weights:
        `random` of the published start, `elu` of one that starts as ELU by ridge regression.
    """

    def make(place: Place, images: int) -> dict[str, float]:
        import keras

        starts = {
            "random": lambda: keras.initializers.RandomNormal(stddev=_DEVIATION),
            "elu": lambda: "elu",
        }
        return {name: _norm(start, place, seed) for name, start in starts.items()}

    return make


def _norm(start: Callable, place: Place, seed: int) -> float:
    import keras
    import tensorflow as tf

    from robust_keras import data

    keras.utils.set_random_seed(seed)
    train: Any = data.load("cifar10", place.data_dir).train
    batch = train.take(_BATCH, seed)
    network = _network(start, batch.image_shape)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        loss = loss_of(np.asarray(batch.labels), network(batch.float_images(), training=True))
    found = tape.gradient(loss, network.trainable_variables)
    return round(float(np.log10(tf.linalg.global_norm(found).numpy())), 3)


def _network(start, shape):
    import keras

    from robust_keras import models
    from robust_keras.layers import KernelActivation
    from robust_keras.models import blocks
    from robust_keras.models.activations import Activation

    def kernel(rank, name):
        return KernelActivation(boundary=_BOUNDARY, initializer=start(), name=name)

    kind = Activation(kernel, normalised=True)
    images = keras.Input(shape)
    features = models.MODELS["resnet56"].layers(images, kind)
    return keras.Model(images, blocks.classifier(features, 10, kind))

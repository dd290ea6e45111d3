"""Caffe's "quick" network for CIFAR-10."""

import keras

from robust_keras.models import blocks
from robust_keras.models.activations import Activation
from robust_keras.models.architecture import Architecture


def layers(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Three 5x5 convolutions (32, 32, 64 channels), each with 3x3 pooling, and 64 hidden units.

    The first pooling takes maxima, the others means. As in the symmetric-activation study (2016,
    arXiv 1603.05145), the activation stands before the pooling, and the study's 4x4 convolution at
    the end is the dense layer.
    """
    pools = (
        keras.layers.MaxPooling2D,
        keras.layers.AveragePooling2D,
        keras.layers.AveragePooling2D,
    )
    for number, (filters, pool) in enumerate(zip((32, 32, 64), pools, strict=True), start=1):
        x = blocks.features(x, filters, 5, activation, f"conv{number}")
        x = pool(3, strides=2, padding="same", name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="features")(x)
    return blocks.hidden(x, 64, activation, "dense1")


CIFAR_QUICK = Architecture(layers, minimum_size=8)

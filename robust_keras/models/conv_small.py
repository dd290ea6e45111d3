"""The small strided network that certified and fast training are compared on."""

import keras

from robust_keras.models import blocks
from robust_keras.models.activations import Activation
from robust_keras.models.architecture import Architecture


def layers(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Two 4x4 convolutions (16 and 32 channels) with stride 2, and 100 hidden units.

    No pooling, a quarter of LeNet-5's work: Wong and Kolter, 2018, arXiv 1711.00851; of fast
    adversarial training on MNIST, 2020, arXiv 2001.03994.
    """
    for number, filters in enumerate((16, 32), start=1):
        x = blocks.features(x, filters, 4, activation, f"conv{number}", strides=2)
    x = keras.layers.Flatten(name="features")(x)
    return blocks.hidden(x, 100, activation, "dense1")


CONV_SMALL = Architecture(layers, minimum_size=4)

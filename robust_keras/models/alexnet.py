"""AlexNet for images of 28 to 32 pixels."""

import keras

from robust_keras.models import blocks
from robust_keras.models.activations import Activation
from robust_keras.models.architecture import Architecture

# (channels, kernel size, stride, whether pooling follows)
_CONVOLUTIONS = ((64, 5, 2, True), (192, 5, 1, True), (384, 3, 1, False), (256, 3, 1, False))


def layers(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Five convolutions, overlapping 3x3 max pooling, two hidden layers with dropout.

    Krizhevsky, Sutskever and Hinton, 2012. Strides, kernels and the width of the hidden layers
    (1024) are cut down, as the first convolution of the original would leave nothing to see.
    """
    for number, (filters, size, strides, pooled) in enumerate(_CONVOLUTIONS, start=1):
        x = blocks.features(x, filters, size, activation, f"conv{number}", strides=strides)
        if pooled:
            x = _pool(x, number)
    x = _pool(blocks.features(x, 256, 3, activation, "conv5"), 5)
    x = keras.layers.Flatten(name="features")(x)
    for number in (1, 2):
        x = keras.layers.Dropout(0.5, name=f"dropout{number}")(x)
        x = blocks.hidden(x, 1024, activation, f"dense{number}")
    return x


def _pool(x, number):
    return keras.layers.MaxPooling2D(3, strides=2, padding="same", name=f"pool{number}")(x)


ALEXNET = Architecture(layers, minimum_size=16)

"""Five fully connected layers."""

import keras

from robust_keras.models import blocks
from robust_keras.models.activations import Activation
from robust_keras.models.architecture import Architecture

_UNITS = 256


def layers(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Four hidden layers of 256 units; the fifth layer is the classifier.

    A symmetric activation has no convolution to follow here: it stands after the first layer, and
    the others have batch normalisation and ReLU.
    """
    x = keras.layers.Flatten(name="pixels")(x)
    for number in range(1, 5):
        x = blocks.hidden(x, _UNITS, activation, f"dense{number}", first=number == 1)
    return x


FC5 = Architecture(layers)

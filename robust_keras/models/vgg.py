"""The small VGG of Peconi's thesis on kernel activations (Sapienza, 2020)."""

import keras

from robust_keras.models import blocks
from robust_keras.models.activations import Activation
from robust_keras.models.architecture import Architecture

_BLOCKS = ((32, 0.2), (64, 0.3), (128, 0.4))  # (channels, dropout after the block)


def layers(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Three blocks of two 3x3 convolutions with batch normalisation, and 128 hidden units.

    Each block ends in 2x2 max pooling and dropout. The thesis' weight decay belongs to training.
    """
    for block, (filters, rate) in enumerate(_BLOCKS, start=1):
        for number in (1, 2):
            name = f"conv{block}_{number}"
            x = blocks.features(x, filters, 3, activation, name, normalise=True)
        x = keras.layers.MaxPooling2D(name=f"pool{block}")(x)
        x = keras.layers.Dropout(rate, name=f"dropout{block}")(x)
    x = keras.layers.Flatten(name="features")(x)
    return blocks.hidden(x, 128, activation, "dense1")


VGG = Architecture(layers, minimum_size=8)

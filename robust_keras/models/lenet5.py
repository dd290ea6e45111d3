"""LeNet-5 in the widths that Caffe made common."""

import keras

from robust_keras.models import blocks
from robust_keras.models.activations import Activation
from robust_keras.models.architecture import Architecture


def layers(x: keras.KerasTensor, activation: Activation) -> keras.KerasTensor:
    """Two 5x5 convolutions (20 and 50 channels) with 2x2 max pooling, and 500 hidden units.

    LeCun et al., 1998; the widths are those of the symmetric-activation study (2016, arXiv
    1603.05145), whose 4x4 convolution on 28x28 images is this dense layer.
    """
    for number, filters in enumerate((20, 50), start=1):
        x = blocks.features(x, filters, 5, activation, f"conv{number}", padding="valid")
        x = keras.layers.MaxPooling2D(name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="features")(x)
    return blocks.hidden(x, 500, activation, "dense1")


LENET5 = Architecture(layers, minimum_size=16)

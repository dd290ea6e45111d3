"""What a network is, apart from its classes and its activation."""

import dataclasses
from collections.abc import Callable

import keras

from robust_keras.models.activations import Activation


@dataclasses.dataclass(frozen=True)
class Architecture:
    """A network up to its last layer.

    Attributes:
        layers: takes normalised images (batch, height, width, channels) and an `Activation`;
            returns features (batch, n).
        minimum_size: smallest height and width of an image that it can take.
    """

    layers: Callable[[keras.KerasTensor, Activation], keras.KerasTensor]
    minimum_size: int = 1

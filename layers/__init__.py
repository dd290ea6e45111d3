"""Keras 3 activation layers for robust image classifiers.

Importing this package registers every layer with Keras, so that `keras.models.load_model` needs
no `custom_objects`.
"""

from layers.k_winners_take_all import KWinnersTakeAll, LowerRatio
from layers.kernel_activation import KernelActivation
from layers.rejection_rule import RejectionRule
from layers.smooth_relu import ParametricSoftplus, SmoothReLU
from layers.symmetric_activation import SymmetricActivation
from layers.temperature_softmax import TemperatureSoftmax

__all__ = [
    "KWinnersTakeAll",
    "KernelActivation",
    "LowerRatio",
    "ParametricSoftplus",
    "RejectionRule",
    "SmoothReLU",
    "SymmetricActivation",
    "TemperatureSoftmax",
]

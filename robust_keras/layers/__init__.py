"""Keras 3 activation layers for robust image classifiers.

Importing this package registers every layer with Keras, so that `keras.models.load_model` needs
no `custom_objects`.
"""

from robust_keras.layers.k_winners_take_all import KWinnersTakeAll, LowerRatio
from robust_keras.layers.kernel_activation import KernelActivation
from robust_keras.layers.max_min import MaxMin
from robust_keras.layers.orthogonal_kernel import OrthogonalKernel
from robust_keras.layers.rejection_rule import RejectionRule
from robust_keras.layers.slope_limit import SlopeLimit
from robust_keras.layers.smooth_relu import ParametricSoftplus, SmoothReLU
from robust_keras.layers.symmetric_activation import SymmetricActivation
from robust_keras.layers.temperature_softmax import TemperatureSoftmax

__all__ = [
    "KWinnersTakeAll",
    "KernelActivation",
    "LowerRatio",
    "MaxMin",
    "OrthogonalKernel",
    "ParametricSoftplus",
    "RejectionRule",
    "SlopeLimit",
    "SmoothReLU",
    "SymmetricActivation",
    "TemperatureSoftmax",
]

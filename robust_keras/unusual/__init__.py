"""Inputs unlike what a model was trained on: does it know that they are, and how sure is it?"""

from robust_keras.unusual.cppn import CPPNEncoding
from robust_keras.unusual.direct_encoding import DirectEncoding
from robust_keras.unusual.fooling_gradient import GradientAscent
from robust_keras.unusual.map_elites import MapElites
from robust_keras.unusual.noisy_samples import NoisySamples
from robust_keras.unusual.nonsense_samples import NonsenseSamples
from robust_keras.unusual.subject import Subject

__all__ = [
    "CPPNEncoding",
    "DirectEncoding",
    "GradientAscent",
    "MapElites",
    "NoisySamples",
    "NonsenseSamples",
    "Subject",
]

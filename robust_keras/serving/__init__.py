"""Models on their way out (for TensorFlow Serving) and in (anybody's, to be attacked)."""

from robust_keras.serving.classifier import Classifier
from robust_keras.serving.examples import Examples
from robust_keras.serving.export import export
from robust_keras.serving.load import from_keras, load

__all__ = ["Classifier", "Examples", "export", "from_keras", "load"]

"""Build, train, prune, export and honestly attack Keras 3 image classifiers."""

from robust_keras import legacy_keras_guard

__version__ = "0.1.0"

legacy_keras_guard.install()

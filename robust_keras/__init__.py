"""Build, train, prune, export and honestly attack Keras 3 image classifiers."""

__version__ = "0.1.0"

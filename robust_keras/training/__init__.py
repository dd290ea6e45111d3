"""Training: adversarial training, pruning, losses, and what keeps a run alive."""

from robust_keras.training.prunable_kernels import sparsity
from robust_keras.training.reproducible import make_reproducible
from robust_keras.training.results import accuracy, save_model

__all__ = ["accuracy", "make_reproducible", "save_model", "sparsity"]

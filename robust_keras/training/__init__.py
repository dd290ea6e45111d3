"""Training: fitting, adversarial training, pruning, and what keeps a run alive."""

from robust_keras.notes.class_note import class_note
from robust_keras.notes.layer_facts import layer_notes
from robust_keras.notes.training_note import accuracy_note
from robust_keras.training.fit import fit
from robust_keras.training.low_rank_training import after_training, before_training
from robust_keras.training.network import network
from robust_keras.training.prunable_kernels import sparsity
from robust_keras.training.range_test_run import suggest_learning_rate
from robust_keras.training.reproducible import make_reproducible
from robust_keras.training.results import accuracy, save_model

__all__ = [
    "accuracy",
    "accuracy_note",
    "class_note",
    "after_training",
    "before_training",
    "fit",
    "make_reproducible",
    "network",
    "save_model",
    "sparsity",
    "suggest_learning_rate",
    "layer_notes",
]

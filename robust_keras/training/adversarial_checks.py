"""What adversarial training cannot do, told before it begins."""

import warnings
from typing import Any

import keras
import numpy as np

from robust_keras.errors import InputError
from robust_keras.training.head import Head, weighs_pixels
from robust_keras.training.pixels import PixelRange

_WIDE = 16  # times the pixels that Keras' initial weights are made for


def check(classifier: keras.Model, head: Head, pixels: PixelRange, settings: Any) -> None:
    """Refuses what a method cannot train, and warns of what it will train badly.

    Raises:
        ValueError: several replicas where a step needs the whole batch or moves statistics, or
            several sigmoids where a method needs to know one class among all.
    """
    _check_replicas(classifier.distribute_strategy, settings)
    _check_head(head, settings, classifier.name)
    _warn_of_large_pixels(classifier, pixels)


def _check_replicas(strategy, settings):
    replicas = strategy.num_replicas_in_sync
    alone = settings.declaration.one_replica
    if replicas > 1 and (alone or settings.crafting_training_mode):
        what = settings.method if alone else "crafting_training_mode"
        raise ValueError(f"{what} runs on one replica only. Received: {replicas} replicas")


def _check_head(head, settings, name):
    # Divergences, other models and accuracies would be meaningless.
    needs_classes = settings.method_class.needs_one_class or settings.clean_accuracy
    if needs_classes and not head.is_distribution:
        raise InputError.expected(
            f"model '{name}'",
            "logits, a softmax or one sigmoid at the end (several sigmoids tell no class; pgd and "
            "fast train them)",
            f"a sigmoid of {head.columns} columns",
        )


def _warn_of_large_pixels(classifier, pixels):
    # A small CNN that became robust on [0, 1] (0.97 clean, 0.81 under PGD) came to 0.23 and 0.04 on
    # the same images as 0..255, and to the former again with a `Rescaling` in front.
    if np.max(np.subtract(pixels.high, pixels.low)) > _WIDE and weighs_pixels(classifier):
        warnings.warn(
            f"model '{classifier.name}' multiplies pixels in {pixels} by its weights as they are, "
            "which learns badly; let it begin with keras.layers.Rescaling(1 / 255)",
            stacklevel=4,
        )

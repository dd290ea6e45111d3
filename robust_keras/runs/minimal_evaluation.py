"""The part of an evaluation that searches for each image's smallest epsilon."""

import numpy as np

from robust_keras.attacks import registry
from robust_keras.attacks.attack import Attack
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.minimal_epsilon import can_search, minimal_epsilons
from robust_keras.findings import MinimalEpsilonReport
from robust_keras.progress import RunProgress
from robust_keras.serving.classifier import Classifier
from robust_keras.settings.config import EvaluateConfig

# Of the smallest epsilons, as a share of the largest epsilon.
_TOLERANCE = 1 / 128


def minimal_report(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    config: EvaluateConfig,
    journal: Journal | Unrecorded,
    progress: RunProgress,
) -> MinimalEpsilonReport | None:
    """How little changes the class of each image.

    Args:
        classifier: a `serving.Classifier`.
        images: float32 array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        config: an `EvaluateConfig`.
        journal: `Journal` or `Unrecorded`.
        progress: `RunProgress`.

    Returns:
        A `MinimalEpsilonReport`, or None where it was not asked for or cannot be searched for.
    """
    attack = minimal_attack(config)
    if not (config.minimal_epsilon and can_search(classifier, attack, config.norm)):
        return None
    largest = config.largest_searched
    with progress.part("minimal epsilons") as step:
        found = minimal_epsilons(
            classifier,
            images,
            labels,
            attack,
            norm=config.norm,
            largest=largest,
            tolerance=largest * _TOLERANCE,
            batch_size=config.batch_size,
            seed=config.seed,
            progress=step,
            journal=journal,
        )
    return MinimalEpsilonReport.of(found)


def minimal_attack(config: EvaluateConfig) -> Attack:
    """The attack by which a config searches; raises InputError where there is none in its norm."""
    return registry.named(config.minimal_attack, "--minimal_attack", config.norm)

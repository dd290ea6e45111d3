"""Decides whether a robust accuracy can be believed."""

from typing import Any

import numpy as np

from robust_keras.attackable import told
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.audit import (
    clean_checks,
    difference_checks,
    forward_checks,
    gradient_checks,
    probes,
    result_checks,
)
from robust_keras.engine.journal import Unrecorded
from robust_keras.engine.results import Evaluation
from robust_keras.serving.classifier import Classifier

# Enough to see a difference of two points, few enough to cost little beside the attacks.
_SAMPLE = 128


def audit(
    classifier: Classifier,
    images: np.ndarray,
    labels: np.ndarray,
    evaluation: Evaluation,
    threat_model: ThreatModel,
    *,
    batch_size: int,
    seed: int,
    journal: Any = None,
) -> tuple:
    """Looks for the known ways in which a model only seems robust.

    A model can be hard to attack without being robust: gradients that are lost, zero or pointing
    nowhere (masked gradients), answers that change by themselves, attacks that are too weak. Each
    check looks for one sign of it, in the results of the attacks or by small attacks of its own on
    up to 128 images that are classified correctly; and first whether there was anything to measure.
    Figures are reliable only where none fails; passed checks are evidence, not proof. Every
    tolerance takes the number of images into account, so that a single image decides nothing.

    Args:
        classifier: the attacked `serving.Classifier`.
        images: float array (images, height, width, channels) as they were attacked.
        labels: int array (images,).
        evaluation: what `engine.evaluate` found.
        threat_model: the `ThreatModel` it was found under.
        batch_size: images a pass.
        seed: whole number >= 0.
        journal: `engine.Journal` for its own attacks, or None.

    Returns:
        Tuple of `AuditCheck`s.

    References:
        Athalye et al., "Obfuscated Gradients Give a False Sense of Security", 2018,
        arXiv 1802.00420; Carlini et al., "On Evaluating Adversarial Robustness", 2019,
        arXiv 1902.06705.

    Example:
        >>> checks = audit(classifier, images, labels, found, threat_model, batch_size=250, seed=0)
        >>> [check.check for check in checks if check.passed is False]
        []
    """
    images, labels = np.asarray(images, np.float32), np.asarray(labels, np.int64)
    chosen = _sample(evaluation.clean_correct, seed)
    sample = probes.Sample(
        classifier=classifier,
        images=images[chosen],
        labels=labels[chosen],
        survivors=evaluation.worst_case[:, chosen],
        threat_model=threat_model,
        batch_size=batch_size,
        seed=seed,
        journal=journal or Unrecorded(),
    )
    classes = classifier.num_classes - told(classifier, "nonsense_classes")
    return (
        clean_checks.better_than_guessing(evaluation, labels, classes),
        clean_checks.other_readings(classifier, images, labels, batch_size),
        clean_checks.class_order(classifier, images, labels, batch_size),
        gradient_checks.gradient_available(classifier),
        *gradient_checks.gradient_checks(sample),
        difference_checks.gradients_against_differences(sample),
        forward_checks.repeatable_answers(classifier, images, batch_size),
        forward_checks.batch_independence(classifier, images, batch_size),
        result_checks.attack_strength(evaluation),
        result_checks.noise_against_gradients(evaluation, threat_model),
        result_checks.one_step_against_iterative(evaluation, threat_model),
        *probes.growing_ball(sample, evaluation),
        probes.scale_free_loss(sample, evaluation),
    )


def _sample(correct, seed):
    """Up to 128 places of images that are classified correctly."""
    places = np.flatnonzero(correct)
    if len(places) <= _SAMPLE:
        return places
    return np.sort(np.random.default_rng([seed, _SAMPLE]).choice(places, _SAMPLE, replace=False))

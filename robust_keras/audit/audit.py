"""Decides whether a robust accuracy can be believed."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from robust_keras.attackable import told
from robust_keras.attacks.given_examples import GivenExamples
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.audit import (
    clean_checks,
    difference_checks,
    fits_attack,
    forward_checks,
    gradient_checks,
    opening,
    path_checks,
    probes,
    result_checks,
)
from robust_keras.audit.account import Account
from robust_keras.audit.attacking_again import AttackingAgain
from robust_keras.audit.averaging import steady
from robust_keras.audit.probing_attacks import probing_attacks
from robust_keras.engine.journal import Unrecorded
from robust_keras.engine.results import Evaluation
from robust_keras.findings.audit_check import AuditCheck
from robust_keras.findings.counter_attack import CounterAttackReport
from robust_keras.serving.classifier import Classifier

# What counter-attacks may take an image, if nothing else is said: forward passes.
PASSES = 4000
# Enough to see a difference of two points, few enough to cost little beside the attacks.
_SAMPLE = 128


@dataclasses.dataclass(frozen=True)
class Audited:
    """What the audit came to.

    Args:
        checks: `AuditCheck`s.
        counter_attacks: `CounterAttackReport`s of the attacks that failed checks called for.
        settled: names of the failed checks that these went around, or that no image was left for.
        evaluation: `Evaluation` with all that these found counted in.
    """

    checks: tuple[AuditCheck, ...]
    counter_attacks: tuple[CounterAttackReport, ...]
    settled: tuple[str, ...]
    evaluation: Evaluation


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
    budget: float | None = None,
    transferred: GivenExamples | None = None,
    tell: Callable[[Sequence[str], int, float], None] | None = None,
) -> Audited:
    """Looks for the known ways in which a model only seems robust, and attacks again.

    A model can be hard to attack without being robust: gradients that are lost, zero or pointing
    nowhere (masked gradients), answers that change by themselves, attacks that are too weak. Each
    check looks for one sign of it, in the results of the attacks or by small attacks of its own;
    and first whether there was anything to measure. Where one fails, counter-attacks that go around
    what it found run on the images that are left, and what fools the model counts. Passed checks
    are evidence, not proof. Every tolerance takes the number of images into account, so that a
    single image decides nothing.

    Args:
        classifier: the attacked `serving.Classifier`.
        images: float array (images, height, width, channels) as they were attacked.
        labels: int array (images,).
        evaluation: what `engine.evaluate` found.
        threat_model: the `ThreatModel` it was found under.
        batch_size: images a pass.
        seed: whole number >= 0.
        journal: `engine.Journal` for its own attacks, or None.
        budget: forward passes that counter-attacks may take over all images, or as many as take as
            long; None for `PASSES` an image.
        transferred: what fooled other models, or None.
        tell: called once before counter-attacks, if any are called for, with the names of the
            checks that do, the number of images that are left and the budget.

    References:
        Athalye et al., "Obfuscated Gradients Give a False Sense of Security", 2018,
        arXiv 1802.00420; Carlini et al., "On Evaluating Adversarial Robustness", 2019,
        arXiv 1902.06705.

    Example:
        >>> found = audit(classifier, images, labels, found, threat_model, batch_size=250, seed=0)
        >>> [check.check for check in found.checks if check.passed is False]
        []
    """
    images, labels = np.asarray(images, np.float32), np.asarray(labels, np.int64)
    settings: dict[str, Any] = {"batch_size": batch_size, "seed": seed}
    settings["journal"] = journal or Unrecorded()
    given = images, labels, evaluation, threat_model
    checks, asked = _looks(classifier, *given, **settings)
    masking = opening.looked_into(classifier, images)
    checks += (opening.operations_that_mask(masking),)
    account = Account(asked, *given, masking=masking, **settings)
    checks += probing_attacks(account, transferred)
    doubts = [check.check for check in checks if check.passed is False]
    allowed = PASSES * len(images) if budget is None else budget
    again = AttackingAgain(account, doubts, allowed, fits_attack.called_for(classifier))
    if account.measured and again.reasons:
        if tell is not None:
            tell(again.reasons, len(account.standing), allowed)
        again.run()
    return Audited(checks, again.reports(), again.answered(), account.evaluation)


def _looks(classifier, images, labels, evaluation, threat_model, *, batch_size, **settings):
    """The checks that lower nothing, and the model as one whose answers are steady."""
    repeatable = forward_checks.repeatable_answers(classifier, images, batch_size)
    asked = steady(classifier) if repeatable.passed is False else classifier
    chosen = _sample(evaluation.clean_correct, settings["seed"])
    sample = probes.Sample(
        classifier=classifier,
        images=images[chosen],
        labels=labels[chosen],
        threat_model=threat_model,
        batch_size=batch_size,
        random=repeatable.passed is False or told(classifier, "passes") > 1,
        **settings,
    )
    checks = (
        *_of_clean_images(classifier, images, labels, evaluation, batch_size),
        gradient_checks.gradient_available(classifier),
        *gradient_checks.gradient_checks(sample),
        difference_checks.gradients_against_differences(sample),
        path_checks.rough_loss(sample),
        *path_checks.along_the_path(dataclasses.replace(sample, classifier=asked)),
        fits_attack.layers_that_mislead(classifier),
        repeatable,
        forward_checks.batch_independence(classifier, images, batch_size, sample.random),
        result_checks.attack_strength(evaluation),
        result_checks.noise_against_gradients(evaluation, threat_model),
        result_checks.one_step_against_iterative(evaluation, threat_model),
        *probes.growing_ball(sample, evaluation),
    )
    return checks, asked


def _of_clean_images(classifier, images, labels, evaluation, batch_size):
    """The checks of the answers without attack; none where a single answer is wanted.

    Such a classifier tells two classes apart, of which all images are one.
    """
    if told(classifier, "aimed_at") is not None:
        return ()
    classes = classifier.num_classes - told(classifier, "nonsense_classes")
    return (
        clean_checks.better_than_guessing(evaluation, labels, classes),
        clean_checks.other_readings(classifier, images, labels, batch_size),
        clean_checks.class_order(classifier, images, labels, batch_size),
    )


def _sample(correct, seed):
    """Up to 128 places of images that are classified correctly."""
    places = np.flatnonzero(correct)
    if len(places) <= _SAMPLE:
        return places
    return np.sort(np.random.default_rng([seed, _SAMPLE]).choice(places, _SAMPLE, replace=False))

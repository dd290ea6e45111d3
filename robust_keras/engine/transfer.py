"""Adversarial examples made on one classifier and tried on others."""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from robust_keras.attackable import Attackable
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.fooled import correct
from robust_keras.attacks.loops.prediction import check_examples, padded, predict
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.journal import Unrecorded
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.subject import Subject
from robust_keras.errors import InputError
from robust_keras.findings import TransferSource, TransferTarget


def transfer(
    sources: Mapping[str, Attackable],
    targets: Mapping[str, Attackable],
    images: np.ndarray,
    labels: np.ndarray,
    attack: Attack,
    threat_model: ThreatModel,
    *,
    batch_size: int,
    seed: int,
    journal: Any = None,
) -> list[TransferSource]:
    """A table of sources by targets: how well attacks on one model work on another.

    Every image is attacked on every source at every epsilon, whether the source classifies it
    correctly or not; what comes out is projected into the ball and the pixel range and predicted by
    every target. Nothing is carried over from one epsilon to the next, so accuracies may rise with
    epsilon.

    An attack that stops at the first error of the source makes examples that barely fool it and
    transfer badly: those that can, take all their steps here (`Attack.unhurried`).

    Args:
        sources: dict from name to classifier, on which examples are made.
        targets: dict from name to classifier, on which they are tried.
        images: float array (images, height, width, channels) within the threat model's bounds.
        labels: int array (images,).
        attack: an `Attack` that is no cascade; it gets one try an image.
        threat_model: `ThreatModel`.
        batch_size: images a pass.
        seed: whole number >= 0; each image draws the same random numbers on every source.
        journal: `Journal` of the batches that are done, or None.

    Returns:
        List of `TransferSource`s, one a source; their `path`s are the names.

    Raises:
        InputError: a cascade, or images, labels or norm that do not fit.

    Reference: Papernot et al., "Transferability in Machine Learning", 2016, arXiv 1605.07277;
    Liu et al., "Delving into Transferable Adversarial Examples and Black-Box Attacks", 2017,
    arXiv 1611.02770.

    Example:
        >>> pair = {"plain": classifier, "robust": serving.load("runs/quickstart/serving")}
        >>> rows = transfer(pair, pair, images, labels, PGD(), ThreatModel("linf", (0.1,)),
        ...                 batch_size=250, seed=0)
        >>> rows[0].path, list(rows[0].accuracy)
        ('plain', ['plain', 'robust'])
    """
    if not attack.transfers:
        raise InputError.expected("transfer attack", "one that is no cascade", attack.name)
    attack = attack.unhurried()
    attack.check_threat_model(threat_model)
    for classifier in (*sources.values(), *targets.values()):
        images, labels = check_examples(classifier, images, labels, threat_model)
    batch_size = min(batch_size, len(images))
    clean = {
        name: correct(predict(classifier, images, batch_size), labels)
        for name, classifier in targets.items()
    }
    given: dict[str, Any] = {"images": images, "labels": labels, "threat_model": threat_model}
    given |= {"batch_size": batch_size, "seed": seed, "journal": journal or Unrecorded()}
    subjects = {name: Subject(replicas=Replicas([s]), **given) for name, s in sources.items()}
    return [_row(name, subjects[name], targets, clean, attack) for name in sources]


def _row(name, subject, targets, clean, attack):
    """The `TransferSource` of one source; `clean` holds what each target classifies correctly."""
    lost = subject.replicas.first.gradient_error
    if attack.needs_gradient and lost is not None:
        return _source(name, {}, skipped=lost)
    start, passes = subject.journal.now(), np.zeros(2, int)
    accuracy = {target: [] for target in targets}
    for epsilon in subject.threat_model.epsilons:
        changed, price = _examples(subject, attack, epsilon)
        passes += price
        for target, classifier in targets.items():
            right = correct(predict(classifier, changed, subject.batch_size), subject.labels)
            accuracy[target].append(float(np.mean(right & clean[target])))
    return _source(name, accuracy, subject.journal.now() - start, passes)


def _source(name, accuracy, seconds=0.0, passes=(0, 0), skipped=None):
    gradients, forwards = passes
    return TransferSource(
        path=name,
        targets=[TransferTarget(path=p, accuracy=values) for p, values in accuracy.items()],
        seconds=seconds,
        gradient_evaluations=gradients,
        forward_evaluations=forwards,
        skipped=skipped,
    )


def _examples(subject, attack, epsilon):
    """All images changed for the source, projected, and the passes that took."""
    if epsilon == 0.0:
        return subject.images, np.zeros(2, int)
    changed, passes = [], np.zeros(2, int)
    what = *subject.scope, "transfer", repr(attack), float(epsilon).hex()
    firsts = range(0, len(subject.images), subject.batch_size)
    jobs = [
        (
            (*what, first, subject.batch_size),
            functools.partial(_batch, subject, attack, epsilon, first),
        )
        for first in firsts
    ]
    for kept in subject.journal.remember_all(jobs):
        changed.append(kept["images"])
        passes += kept["passes"]
    return np.concatenate(changed), passes


def _batch(subject, attack, epsilon, first):
    """One batch of changed images and the passes it took, as a journal takes them."""
    count = min(subject.batch_size, len(subject.images) - first)
    rows = padded(np.arange(first, first + count), subject.batch_size)
    proposal, projected = subject.proposed(subject.replicas.first, attack, epsilon, 0, rows)
    counts = proposal.gradient_evaluations[:count], proposal.forward_evaluations[:count]
    return {"images": projected[:count], "passes": np.array([part.sum() for part in counts])}

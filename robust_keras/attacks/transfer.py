"""Adversarial examples made on one classifier and tried on others."""

import dataclasses
import time

import numpy as np

from robust_keras.attacks.engine import generators
from robust_keras.attacks.prediction import check_examples, correct, padded, predict
from robust_keras.errors import InputError


@dataclasses.dataclass(frozen=True)
class TransferResult:
    """What examples made on one source did to every target.

    Args:
        source: its name.
        accuracy: dict from target to a tuple, one share an epsilon: of all images, those that the
            target classifies correctly both as they are and as they were changed for the source.
        seconds: wall time.
        gradient_evaluations: forward and backward passes of the source, summed over images.
        forward_evaluations: forward passes alone of the source, summed over images.
        skipped: None, or why nothing could be made on this source; `accuracy` is then empty.
    """

    source: str
    accuracy: dict
    seconds: float = 0.0
    gradient_evaluations: int = 0
    forward_evaluations: int = 0
    skipped: str | None = None


def transfer(sources, targets, images, labels, attack, threat_model, *, batch_size, seed):
    """A table of sources by targets: how well attacks on one model work on another.

    Every image is attacked on every source at every epsilon, whether the source classifies it
    correctly or not; what comes out is projected into the ball and the pixel range and predicted by
    every target. Nothing is carried over from one epsilon to the next, so accuracies may rise with
    epsilon.

    An attack that stops at the first error of the source makes examples that barely fool it and
    transfer badly: those that can, take all their steps here (`unhurried`).

    Args:
        sources: dict from name to classifier, on which examples are made.
        targets: dict from name to classifier, on which they are tried.
        images: float array (images, height, width, channels) within the threat model's bounds.
        labels: int array (images,).
        attack: an `Attack` that is no cascade; it gets one try an image.
        threat_model: `ThreatModel`.
        batch_size: images a pass.
        seed: whole number >= 0; each image draws the same random numbers on every source.

    Returns:
        List of `TransferResult`s, one a source.

    Raises:
        InputError: a cascade, or images, labels or norm that do not fit.

    Reference: Papernot et al., "Transferability in Machine Learning", 2016, arXiv 1605.07277;
    Liu et al., "Delving into Transferable Adversarial Examples and Black-Box Attacks", 2017,
    arXiv 1611.02770.

    Example:
        >>> pair = {"plain": plain, "robust": robust}
        >>> rows = transfer(pair, pair, images, labels, PGD(), ThreatModel("linf", (0.1,)),
        ...                 batch_size=250, seed=0)
        >>> rows[0].accuracy["robust"]
        (0.91,)
    """
    if attack.cascade:
        raise InputError.expected("transfer attack", "one that is no cascade", attack.name)
    attack = unhurried(attack)
    attack.check_threat_model(threat_model)
    for classifier in (*sources.values(), *targets.values()):
        images, labels = check_examples(classifier, images, labels, threat_model)
    batch_size = min(batch_size, len(images))
    clean = {
        name: correct(predict(classifier, images, batch_size), labels)
        for name, classifier in targets.items()
    }
    rows = []
    for name, source in sources.items():
        if attack.needs_gradient and source.gradient_error is not None:
            rows.append(TransferResult(name, {}, skipped=source.gradient_error))
            continue
        start, passes = time.monotonic(), np.zeros(2, int)
        accuracy = {target: [] for target in targets}
        for epsilon in threat_model.epsilons:
            settings = {"threat_model": threat_model, "epsilon": epsilon}
            made, price = _examples(source, images, labels, attack, settings, batch_size, seed)
            passes += price
            for target, classifier in targets.items():
                right = correct(predict(classifier, made, batch_size), labels)
                accuracy[target].append(float(np.mean(right & clean[target])))
        counts = (int(count) for count in passes)
        shares = {target: tuple(values) for target, values in accuracy.items()}
        rows.append(TransferResult(name, shares, time.monotonic() - start, *counts))
    return rows


def unhurried(attack):
    """The attack without its early stop, where it has a setting for that."""
    if not hasattr(attack, "stop_early"):
        return attack
    return dataclasses.replace(attack, stop_early=False)


def _examples(source, images, labels, attack, settings, batch_size, seed):
    """All images changed for the source, projected, and the passes that took."""
    epsilon, threat_model = settings["epsilon"], settings["threat_model"]
    if epsilon == 0.0:
        return images, (0, 0)
    made, gradients, forwards = [], 0, 0
    for first in range(0, len(images), batch_size):
        count = min(batch_size, len(images) - first)
        rows = padded(np.arange(first, first + count), batch_size)
        random = generators(seed, attack.name, epsilon, 0, rows)
        given = images[rows], labels[rows]
        proposal = attack.propose(source, *given, **settings, generators=random)
        made.append(threat_model.project(images[rows], proposal.images, epsilon)[:count])
        gradients += proposal.gradient_evaluations[:count].sum()
        forwards += proposal.forward_evaluations[:count].sum()
    return np.concatenate(made), (gradients, forwards)

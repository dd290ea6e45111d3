"""How the loss behaves around an image and on the way of an attack."""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from robust_keras.attacks.loops.directions import steepest
from robust_keras.attacks.loops.losses import margin
from robust_keras.audit.probes import OF_CHANCE, Sample
from robust_keras.audit.shares import few_enough, margins_and_gradients
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, not_applicable, percent

_IMAGES, _STEPS, _STEP = 64, 20, 0.1
# Where every answer is a mean of many: images, answers that say how much it varies, and the number
# of these standard deviations by which the loss must rise.
_FEW, _AGAIN, _DEVIATIONS = 16, 4, 4.0
# Random moves of this share of epsilon; a loss that is this many times steeper, or flatter, there
# than its gradient says is rough.
_MOVES, _LENGTH, _STEEPER = 8, 0.25, 4.0
# Shares of the images, as far as their number can tell.
_ROUGH, _STILL, _LOST = 0.05, 0.05, 0.1


def rough_loss(sample: Sample) -> AuditCheck:
    """Whether the margin changes about as much around an image as its gradient says.

    Formula: `r = rms(m(x + h u_i) - m(x)) / (h norm(grad m(x)))` over random signs u_i,
    h a quarter of the largest epsilon a pixel, in l2 over sqrt(d). A linear function has 1; an
    image counts where r is above 4 or below 1 / 4.

    Reference: the idea of random moves: Pintor et al., "Indicators of Attack Failure", 2022,
    arXiv 2106.09947.
    """
    name = check_names.ROUGH_LOSS
    obstacle = _obstacle(sample)
    if obstacle:
        return not_applicable(name, obstacle)
    images, labels = sample.images[:_IMAGES], tf.constant(sample.labels[:_IMAGES])
    length = _LENGTH * sample.threat_model.epsilons[-1] / _pixel_scale(sample)
    random = np.random.default_rng([sample.seed, _MOVES])
    start, gradient = margins_and_gradients(sample.classifier, images, labels)
    changes = []
    for _ in range(_MOVES):
        signs = np.where(random.random(images.shape) < 0.5, 1.0, -1.0)
        moved = tf.constant((images + length * signs).astype(np.float32))
        changes.append(margin(labels, sample.classifier.logits(moved)).numpy() - start)
    steepness = np.sqrt(np.square(changes, dtype=np.float64).mean(axis=0))
    said = length * np.sqrt(np.square(gradient, dtype=np.float64).sum(axis=(1, 2, 3)))
    rough = ~((steepness <= _STEEPER * said) & (said <= _STEEPER * steepness))
    rough &= ~((steepness == 0.0) & (said == 0.0))
    ratio = np.divide(steepness, said, out=np.full_like(said, np.inf), where=said > 0.0)
    evidence = {
        "images": len(images),
        "rough_share": float(rough.mean()),
        "median_ratio": float(np.median(ratio)),
    }
    return few_enough(
        name,
        rough,
        _ROUGH,
        evidence,
        passed="Around the images the loss is about as steep as its gradient says.",
        failed=f"Around {percent(rough.mean())} of the images the loss is far steeper, or far "
        "flatter, than its gradient says: attacks that follow the gradient are misled there.",
    )


def along_the_path(sample: Sample) -> list[AuditCheck]:
    """Two checks of a short ascent on the margin: that it rises, and that success lasts.

    Of a model of chance only the first, by more than its answers vary.

    Args:
        sample: its classifier's answers are to be the mean of many where they are random.
    """
    names = (check_names.RISING_LOSS, check_names.SUCCESS_ON_THE_PATH)
    if sample.random:
        sample = dataclasses.replace(
            sample, images=sample.images[:_FEW], labels=sample.labels[:_FEW]
        )
    obstacle = _without_gradients(sample)
    if obstacle:
        return [not_applicable(name, obstacle) for name in names]
    path = _path(sample)
    rising = _rising(names[0], path, _variation(sample))
    if sample.random:
        return [rising, not_applicable(names[1], OF_CHANCE)]
    return [rising, _lasting(names[1], path)]


def _variation(sample):
    """By how much the margin at the images varies by itself, float or float array (images,)."""
    if not sample.random:
        return 0.0
    labels = tf.constant(sample.labels)
    logits = [sample.classifier.logits(tf.constant(sample.images)) for _ in range(_AGAIN)]
    return _DEVIATIONS * np.std([margin(labels, answer).numpy() for answer in logits], axis=0)


def _rising(name, path, variation):
    still = ~(path[1:].max(axis=0) > path[0] + variation)
    evidence = {"images": len(still), "still_share": float(still.mean()), "steps": len(path) - 1}
    return few_enough(
        name,
        still,
        _STILL,
        evidence,
        passed="Steps along the gradient raise the loss.",
        failed=f"On {percent(still.mean())} of the images {len(path) - 1} steps along the gradient "
        "never raise the loss. Gradients that lead nowhere make attacks fail, not models robust.",
    )


def _lasting(name, path):
    lost = (path > 0.0).any(axis=0) & (path[-1] <= 0.0)
    evidence = {"images": len(lost), "lost_share": float(lost.mean()), "steps": len(path) - 1}
    return few_enough(
        name,
        lost,
        _LOST,
        evidence,
        passed="What fools the model on the way still fools it at the end.",
        failed=f"On {percent(lost.mean())} of the images an attack fools the model on its way and "
        "not at its end: the loss goes up and down, and an attack that looks only at its last "
        "point misses what it had found.",
    )


def _path(sample):
    """The margin, largest other logit less the label's, float array (steps + 1, images)."""
    model, epsilon = sample.threat_model, sample.threat_model.epsilons[-1]
    images, labels = sample.images[:_IMAGES], tf.constant(sample.labels[:_IMAGES])
    points, values = images, []
    for _ in range(_STEPS):
        value, gradient = margins_and_gradients(sample.classifier, points, labels)
        values.append(value)
        step = _STEP * epsilon * steepest(gradient, model.norm)
        points = model.project(images, points + step, epsilon)
    values.append(margins_and_gradients(sample.classifier, points, labels)[0])
    return np.array(values)


def _pixel_scale(sample):
    """By how much a change of every pixel is longer in the norm than in one."""
    return 1.0 if sample.threat_model.norm == "linf" else math.sqrt(sample.images[0].size)


def _obstacle(sample):
    return _without_gradients(sample) or (OF_CHANCE if sample.random else None)


def _without_gradients(sample):
    if sample.obstacle:
        return sample.obstacle
    return "no epsilon is above 0" if sample.threat_model.epsilons[-1] == 0.0 else None

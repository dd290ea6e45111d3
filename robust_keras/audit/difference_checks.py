"""Whether the gradient tells how the answers really change."""

import numpy as np
import tensorflow as tf

from robust_keras.attacks.loops.losses import margin
from robust_keras.attacks.loops.prediction import padded
from robust_keras.audit.probes import OF_CHANCE, Sample
from robust_keras.audit.shares import few_enough, margins_and_gradients
from robust_keras.findings import check_names
from robust_keras.findings.audit_check import AuditCheck, not_applicable, percent

_DIRECTIONS = 4
# Of the pixels, those that move along the gradient: in high dimensions a direction of pure chance
# hardly changes anything, and one along the gradient hides what happens beside it.
_ALONG = 0.6
# Euclidean length of the fine step, in pixel units, and the coarse step of every pixel: one byte,
# so that a model that rounds its pixels is not found guilty.
_FINE, _COARSE = 0.05, 1.0 / 255.0
# Share of a change that the gradient may miss before an image counts, and share of such images.
_UNEXPLAINED = 0.5
_TOLERATED = 0.05


def gradients_against_differences(sample: Sample) -> AuditCheck:
    """Whether small changes of an image change the margin as its gradient says.

    On every image (f(x + h d) - f(x - h d)) / 2h is compared with the gradient times d, in four
    directions d and for two steps h. An image counts against the model where both steps leave more
    than half of the change unexplained. Smooth networks, ReLU and pooling agree almost everywhere.
    A function of many small jumps, such as k-winners-take-all, does not: its gradient is right
    between the jumps and says nothing of where they lead.
    """
    name = check_names.GRADIENTS_AGAINST_DIFFERENCES
    if sample.obstacle:
        return not_applicable(name, sample.obstacle)
    if sample.random:
        return not_applicable(name, OF_CHANCE)
    missed = _unexplained(sample)
    lost = missed > _UNEXPLAINED
    evidence = {
        "images": len(missed),
        "unexplained_median": float(np.median(missed)),
        "misled_share": float(lost.mean()),
    }
    return few_enough(
        name,
        lost,
        _TOLERATED,
        evidence,
        passed="Small changes of the images change the answers as the gradients say.",
        failed=f"On {percent(lost.mean())} of the images the answers change otherwise than the "
        "gradient says, as in a model of many small jumps (k-winners-take-all, rounding). Attacks "
        "that follow such gradients are misled; attacks without gradients may find much more "
        "(--attacks=square,es_pgd).",
    )


def _unexplained(sample):
    """Share of the change that the gradient misses, float array (images,) in [0, 1]."""
    size = min(sample.batch_size, len(sample.images))
    random = np.random.default_rng([sample.seed, _DIRECTIONS])
    rows = []
    for start in range(0, len(sample.images), size):
        images = sample.images[start : start + size]
        labels = tf.constant(padded(sample.labels[start : start + size], size))
        steps = (_FINE / np.sqrt(images[0].size), _COARSE)
        batch = padded(images, size)
        _, gradient = margins_and_gradients(sample.classifier, batch, labels)
        missed = [
            _missed(sample.classifier, batch, labels, gradient, step, random) for step in steps
        ]
        rows.append(np.minimum(*missed)[: len(images)])
    return np.concatenate(rows)


def _missed(classifier, images, labels, gradient, step, random):
    unexplained, measured, expected = 0.0, 0.0, 0.0
    for _ in range(_DIRECTIONS):
        direction = _direction(gradient, random)
        ends = [
            _margins(classifier, images + np.float32(sign * step) * direction, labels)
            for sign in (1.0, -1.0)
        ]
        change = (ends[0] - ends[1]) / (2.0 * step)
        said = np.sum(gradient * direction, axis=(1, 2, 3), dtype=np.float64)
        unexplained = unexplained + np.square(change - said)
        measured, expected = measured + np.square(change), expected + np.square(said)
    # The larger of the two, so that a gradient of nothing explains nothing either.
    whole = np.maximum(measured, expected)
    share = np.divide(unexplained, whole, out=np.zeros_like(whole), where=whole > 0.0)
    return np.where(np.isfinite(share), share, 1.0)


def _direction(gradient, random):
    signs = np.where(random.random(gradient.shape) < 0.5, 1.0, -1.0)
    along = np.where(gradient == 0.0, signs, np.sign(gradient))
    kept = np.where(random.random(gradient.shape) < _ALONG, 1.0, -1.0)
    return (along * kept).astype(np.float32)


def _margins(classifier, images, labels):
    return margin(labels, classifier.logits(tf.constant(images))).numpy().astype(np.float64)

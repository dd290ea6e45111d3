"""CLEVER: how far the next class is, estimated by the gradients around an image; no proof.

Reference: Weng et al., "Evaluating the Robustness of Neural Networks: An Extreme Value Theory
Approach", 2018, arXiv 1801.10578.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.stats
import tensorflow as tf

from robust_keras.findings import CleverReport
from robust_keras.inside.subject import Subject

IMAGES, RADIUS, BATCHES, SAMPLES = 10, 5.0, 24, 32
_FAR = 10.0


def clever(subject: Subject) -> CleverReport | None:
    """The scores of a few images, each against the class that is next likely.

    Returns:
        A `CleverReport`, or None without gradients, or without an image classified correctly.
    """
    logits = subject.clean_logits
    right = (np.argmax(logits, axis=1) == subject.labels) & np.isfinite(logits).all(axis=1)
    chosen = np.flatnonzero(right)[:IMAGES]
    if subject.classifier.gradient_error is not None or not len(chosen):
        return None
    scores = [
        score(
            subject.classifier.logits,
            subject.images[number],
            logits[number],
            np.random.default_rng([subject.seed, int(number)]),
        )
        for number in chosen
    ]
    return CleverReport(
        images=len(scores),
        radius=RADIUS,
        samples=BATCHES * SAMPLES,
        median=float(np.median(scores)),
        smallest=min(scores),
    )


def score(
    function: Callable[[Any], Any],
    image: np.ndarray,
    logits: np.ndarray,
    generator: np.random.Generator,
) -> float:
    """The CLEVER score of one image, in l2, against the class of the second largest logit.

    Formula: `min((f_c - f_j)(x) / a, R)`, a being the end of a reverse Weibull distribution that is
    fitted to the largest gradients `|d (f_c - f_j)|` of batches of points, uniform in the ball of
    radius R around x.

    Args:
        function: from float32 images (batch, height, width, channels) to logits.
        image: float32 array (height, width, channels).
        logits: array (classes,), its logits.
        generator: draws the points.

    Returns:
        A float in [0, RADIUS].
    """
    winner, second = np.argsort(-logits, kind="stable")[:2]
    largest = []
    for _ in range(BATCHES):
        points = tf.constant(image + _in_ball(generator, image.shape))
        with tf.GradientTape() as tape:
            tape.watch(points)
            values = function(points)
            lead = tf.reduce_sum(values[:, winner] - values[:, second])
        slopes = np.reshape(tape.gradient(lead, points), (SAMPLES, -1)).astype(np.float64)
        lengths = np.linalg.norm(slopes, axis=1)
        largest.append(lengths[np.isfinite(lengths)].max(initial=0.0))
    lead = float(logits[winner]) - float(logits[second])
    steepest = _end(np.array(largest))
    return min(lead / steepest, RADIUS) if steepest > 0.0 else RADIUS


def _in_ball(generator, shape):
    """Points that are uniform in the ball: float32 (SAMPLES, ...)."""
    size = int(np.prod(shape))
    directions = generator.standard_normal((SAMPLES, size))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    far = RADIUS * generator.random((SAMPLES, 1)) ** (1.0 / size)
    return np.reshape(far * directions, (SAMPLES, *shape)).astype(np.float32)


def _end(largest):
    """The end of the fitted distribution, at least the largest that was seen.

    Where the fit puts it farther than `_FAR` times that, the sample tells of no end, and the
    largest that was seen counts.
    """
    most = float(largest.max())
    if np.ptp(largest) <= 1e-6 * most:
        return most
    _, place, _ = scipy.stats.weibull_min.fit(-largest / most, 1.0)
    return most * max(-place, 1.0) if -place <= _FAR else most

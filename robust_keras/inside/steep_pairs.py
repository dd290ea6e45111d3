"""Two images between which the logits change most, for their distance: a bound from below."""

import numpy as np
import tensorflow as tf

from robust_keras.inside.subject import Subject

# Images that climb, steps, distance of a pair, and of a step in units of it.
IMAGES, STEPS, APART, STRIDE = 32, 40, 0.1, 1.0
# Of what the logits of both images add up to, more than float32 may be off by.
_ROUNDING = 2.0**-18


def steepest_found(subject: Subject) -> float | None:
    """The largest |f(x) - f(y)| / |x - y| that was found, both Euclidean, less rounding.

    Pairs: each image and what fooled the model; and, where there are gradients, pairs that climb:
    the second image goes where the derivative at it enlarges the change most (a step of the power
    method), and both move along with the gradient of the ratio. Pixels stay in [0, 1].

    Returns:
        A float, a bound from below of the Lipschitz constant; None where there was no pair.
    """
    found = []
    if subject.attacked is not None and subject.attacked_logits is not None:
        images = subject.images, subject.attacked
        found.append(_ratios(*images, *(_told(subject, x) for x in _logits(subject))))
    if subject.classifier.gradient_error is None:
        found.append(_climb(subject))
    values = np.concatenate(found) if found else np.zeros(0)
    values = values[np.isfinite(values)]
    return float(max(values.max(), 0.0)) if len(values) else None


def _logits(subject):
    return subject.clean_logits, subject.attacked_logits


def _told(subject, logits):
    """Logits; where a model gives probabilities, less what a softmax does not tell."""
    if subject.classifier.output_kind == "probabilities":
        return logits - logits.mean(axis=1, keepdims=True)
    return logits


def _climb(subject):
    first = tf.constant(subject.images[:IMAGES])
    noise = np.random.default_rng([subject.seed, 0x11]).standard_normal(first.shape)
    second = _beside(first, tf.constant(noise, tf.float32))
    best = np.zeros(len(first))
    for _ in range(STEPS):
        logits, slopes = _gradients(subject, first, second)
        ratios = _ratios(first.numpy(), second.numpy(), *(_told(subject, x) for x in logits))
        best = np.fmax(best, ratios)
        moved = STRIDE * APART * _unit(slopes[0] + slopes[1])
        first = tf.clip_by_value(first + moved, 0.0, 1.0)
        second = _beside(first, slopes[1])
    return best


def _gradients(subject, first, second):
    """The logits of both, and the gradients of half their squared distance by both."""
    with tf.GradientTape() as tape:
        tape.watch([first, second])
        logits = [subject.classifier.logits(x) for x in (first, second)]
        change = logits[0] - logits[1]
        if subject.classifier.output_kind == "probabilities":
            change -= tf.reduce_mean(change, axis=1, keepdims=True)
        half = tf.reduce_sum(tf.square(change)) / 2.0
    slopes = [_finite(slope) for slope in tape.gradient(half, [first, second])]
    return [x.numpy() for x in logits], slopes


def _finite(values):
    return tf.where(tf.math.is_finite(values), values, tf.zeros_like(values))


def _beside(images, direction):
    """Images at a distance, or less where pixels end."""
    return tf.clip_by_value(images + APART * _unit(direction), 0.0, 1.0)


def _unit(values):
    length = tf.sqrt(tf.reduce_sum(tf.square(values), axis=(1, 2, 3), keepdims=True))
    return values / tf.maximum(length, 1e-30)


def _ratios(first, second, one, other):
    """One ratio a pair, less rounding; NaN where the images are the same."""
    flat = [np.reshape(x, (len(x), -1)).astype(np.float64) for x in (first, second, one, other)]
    far = np.linalg.norm(flat[0] - flat[1], axis=1)
    sizes = np.linalg.norm(flat[2], axis=1) + np.linalg.norm(flat[3], axis=1)
    change = np.linalg.norm(flat[2] - flat[3], axis=1) - _ROUNDING * sizes
    return np.divide(change, far, out=np.full(len(far), np.nan), where=far > 0.0)

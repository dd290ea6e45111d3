"""The loss around an image, and the regions of the model's answers, in a plane."""

import numpy as np
import scipy.special
import tensorflow as tf

from robust_keras.findings import SurfaceReport
from robust_keras.inside.subject import Subject

_MOST_IMAGES = 2
_STEPS = 25
_USUAL_REACH = 0.1


def surfaces(subject: Subject) -> list[SurfaceReport]:
    """The plane of the gradient's signs and of random ones, around the first images that are right.

    A model whose gradients are masked shows a jagged surface, or a flat one with cliffs. The plane
    goes 1.5 times as far as the farthest example that fooled the model.
    """
    if subject.classifier.gradient_error is not None:
        return []
    right = np.flatnonzero(subject.clean_logits.argmax(axis=1) == subject.labels)[:_MOST_IMAGES]
    reach = _reach(subject)
    return [_surface(subject, int(index), reach) for index in right]


def _reach(subject):
    changes = [np.abs(x - subject.images[n]).max() for n, x in subject.fooling.items()]
    return float(np.round(1.5 * max(changes, default=_USUAL_REACH), 4))


def _surface(subject, index, reach):
    image, label = subject.images[index], int(subject.labels[index])
    random = np.random.default_rng([subject.seed, index, 0x5F])
    across = _gradient_signs(subject, image, label)
    up = random.choice(np.float32([-1.0, 1.0]), image.shape)
    steps = np.linspace(-reach, reach, _STEPS, dtype=np.float32)
    plane = image + steps[:, None, None, None, None] * up + steps[:, None, None, None] * across
    shown = np.clip(plane, 0.0, 1.0).reshape(-1, *image.shape)
    logits = np.nan_to_num(subject.logits(shown).astype(np.float64))
    losses = -scipy.special.log_softmax(logits, axis=1)[:, label]
    answers = logits.argmax(axis=1)
    return SurfaceReport(
        index=index,
        label=label,
        reach=reach,
        losses=tuple(map(tuple, losses.round(3).reshape(_STEPS, _STEPS))),
        answers=tuple(map(tuple, answers.reshape(_STEPS, _STEPS))),
        others=float(np.mean(answers != label)),
    )


def _gradient_signs(subject, image, label):
    inputs = tf.constant(image[None])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        logits = subject.classifier.logits(inputs)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[label], logits=logits)
    return np.sign(tape.gradient(loss, inputs, unconnected_gradients="zero").numpy()[0])

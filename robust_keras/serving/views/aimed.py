"""A classifier as an attacker sees it who wants one answer and no other."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Beyond any logit, and still a number.
_OUT_OF_SIGHT = 1e30


def aimed(classifier: Any, target: int) -> Any:
    """A classifier of two classes, "another answer" and "the target".

    Whatever makes an attack fool it makes the model answer with the target, so every attack that
    follows the classifier's own logits aims without knowing it. On the way back the margin has the
    gradient of the targeted loss of Carlini and Wagner. A rejection rule is left out.

    Formula: `[max_{k != t} z_k(x), z_t(x)]`; `[0, -1]` where a logit is not finite, which is no
    answer with the target.

    Args:
        classifier: `serving.Classifier`.
        target: t, one of its classes.

    Returns:
        A `serving.Classifier` that tells by `aimed_at` what it is.

    Reference: Carlini and Wagner, "Towards Evaluating the Robustness of Neural Networks", 2017,
    arXiv 1608.04644.
    """
    return aimed_in_turn(classifier)(target)


def aimed_in_turn(classifier: Any) -> Callable[[int], Any]:
    """A function from a target to the classifier that `aimed` gives; one is used at a time.

    All share their compiled logits: the last one that was asked for decides which class they are
    aimed at. What attacks compile they compile for each anew, and must: a graph that is settled
    keeps the class that was chosen when it was made.
    """
    logits, classes = classifier.logits, classifier.num_classes
    chosen = tf.Variable(0, trainable=False)

    def two(images):
        rows = logits(images)
        others = tf.reduce_max(rows - tf.one_hot(chosen, classes, _OUT_OF_SIGHT), axis=-1)
        pair = tf.stack([others, tf.gather(rows, chosen, axis=1)], axis=-1)
        finite = tf.math.is_finite(tf.reduce_sum(0.0 * rows, axis=-1, keepdims=True))
        return tf.where(finite, pair, tf.constant([[0.0, -1.0]]))

    # Which classes mean nonsense is not told by two of them.
    view = classifier.with_logits(two, num_classes=2, rejection=None)

    def at(target):
        chosen.assign(target)
        return dataclasses.replace(view, aimed_at=target)

    return at

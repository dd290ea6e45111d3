"""Expectation over the randomness of a model that answers differently every time."""

import dataclasses

import tensorflow as tf

from robust_keras.attacks.attack import require_whole


def averaged(classifier, samples):
    """A classifier whose logits are the mean of those of several passes.

    A random model's gradient in one pass is one of many; an attack that follows it follows chance.
    The mean over passes leads where the model is wrong on average. The mean is over the *logits*,
    before any loss, so gradients are those of a loss of the mean logits.

    The engine asks the same classifier whether an image is misclassified: an image then counts as
    fooled only if the mean of as many fresh passes is wrong, and as correct if it is right. With
    one pass a lucky draw is enough for either.

    Formula: `z(x) = 1 / n sum_i f(x, r_i)`, r_i the randomness of the i-th pass.

    Args:
        classifier: `serving.Classifier`.
        samples: n >= 1, passes for one answer.

    Returns:
        The classifier itself where n is 1 or it is deterministic, else a new one.

    Raises:
        ValueError: `samples` is out of range.

    Reference: Athalye et al., "Synthesizing Robust Adversarial Examples", 2018, arXiv 1707.07397;
    against random defences: arXiv 1802.00420.

    Example:
        >>> found = engine.evaluate(averaged(classifier, 20), images, labels, [PGD()], threat_model,
        ...                         batch_size=250, seed=0)
    """
    require_whole("samples", samples)
    if samples == 1 or classifier.deterministic:
        return classifier
    logits, num_classes = classifier.logits, classifier.num_classes

    def mean(images):
        # One pass after the other: a model may draw once for all images of a pass.
        passes = tf.map_fn(
            lambda _: logits(images),
            tf.range(samples),
            parallel_iterations=1,
            fn_output_signature=tf.TensorSpec((None, num_classes), tf.float32),
        )
        return tf.reduce_mean(passes, axis=0)

    other = classifier.with_logits(mean)
    other.passes = samples
    return other


def in_passes(result, classifier):
    """An attack's result with its counts in passes of the model, where an answer takes several.

    Args:
        result: `AttackResult`, or any with the same counts.
        classifier: the attacked one, perhaps from `averaged`.
    """
    passes = getattr(classifier, "passes", 1)
    return dataclasses.replace(
        result,
        gradient_evaluations=passes * result.gradient_evaluations,
        forward_evaluations=passes * result.forward_evaluations,
    )

"""Losses that attacks climb, and the gradient made safe on its way back."""

from collections.abc import Callable

import tensorflow as tf

# Keeps the ratio finite where all logits are equal.
_TINY = 1e-12
# Of logits of such a standard deviation several classes share the gradient.
_SPREAD = 4.0


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the label, float32 (batch,)."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def even_cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the label, float32 (batch,), of logits brought to one standard deviation.

    Formula: that of `4 z / std(z)`, z the logits, std over the classes and no part of the gradient.
    No scale of the logits blinds it.
    """
    deviation = tf.stop_gradient(tf.math.reduce_std(logits, axis=-1, keepdims=True))
    return cross_entropy(labels, tf.math.divide_no_nan(logits, deviation) * _SPREAD)


def margin(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Largest other logit minus the label's, float32 (batch,): free of the logits' scale.

    Its gradient keeps its direction whatever the logits are multiplied by, where cross-entropy's
    vanishes in float32 once the label leads by about 100.
    """
    own, other = _own_and_largest_other(labels, logits)
    return other - own


def aimed_margin(labels: tf.Tensor, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The target's logit minus the label's where there is a target, else the margin.

    Args:
        labels: int32 tensor (batch,).
        targets: int32 tensor (batch,), -1 for none.
        logits: float32 tensor (batch, classes).

    Returns:
        float32 (batch,).
    """
    own, other = _own_and_largest_other(labels, logits)
    aim = tf.gather(logits, tf.maximum(targets, 0), batch_dims=1)
    return tf.where(targets < 0, other, aim) - own


def accepted_margin(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The margin where the last class is no answer: it counts as right, as the label does.

    Args:
        labels: int32 tensor (batch,), none of them the last class.
        logits: float32 tensor (batch, classes).

    Returns:
        float32 (batch,): largest logit of another class minus that of the label or of the last.
    """
    own, wrong = _own_and_largest_other(labels, logits[:, :-1])
    return wrong - tf.maximum(own, logits[:, -1])


def _own_and_largest_other(labels, logits):
    """The label's logit and the largest of the others, each float32 (batch,)."""
    truth = tf.one_hot(labels, tf.shape(logits)[-1], dtype=tf.bool, on_value=True, off_value=False)
    own = tf.reduce_max(tf.where(truth, logits, logits.dtype.min), axis=-1)
    return own, tf.reduce_max(tf.where(truth, logits.dtype.min, logits), axis=-1)


def dlr(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Difference of logits ratio, float32 (batch,): free of the logits' scale and of constants.

    Formula: `-(z_y - max_{k != y} z_k) / (z_(1) - z_(3) + 1e-12)`, z_(i) the i-th largest logit.
    With two classes there is no third: it is the margin, undivided, whose gradient's direction and
    order of values are free of the scale as well.

    Args:
        labels: int32 tensor (batch,).
        logits: float32 tensor (batch, classes), the number of classes known.

    Reference: Croce and Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of
    Diverse Parameter-free Attacks", 2020, arXiv 2003.01690.
    """
    if logits.shape[-1] < 3:
        return margin(labels, logits)
    largest = tf.math.top_k(logits, 3).values
    return margin(labels, logits) / (largest[:, 0] - largest[:, 2] + _TINY)


def targeted_dlr(labels: tf.Tensor, targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """The same towards one class, float32 (batch,).

    Formula: `-(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2 + 1e-12)`. With three classes the divisor
    is that of `dlr`, with two it is left out.

    Args:
        labels: int32 tensor (batch,), the classes to get away from.
        targets: int32 tensor (batch,), the classes to get to.
        logits: float32 tensor (batch, classes), the number of classes known.

    Reference: as for `dlr`.
    """
    own = tf.gather(logits, labels, batch_dims=1)
    lead = tf.gather(logits, targets, batch_dims=1) - own
    if logits.shape[-1] < 3:
        return lead
    largest = tf.math.top_k(logits, min(4, logits.shape[-1])).values
    return lead / (largest[:, 0] - tf.reduce_mean(largest[:, 2:], axis=1) + _TINY)


@tf.custom_gradient
def unit_gradient(images: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """The images unchanged; on the way back every example's gradient is divided by its maximum.

    Args:
        images: tensor (batch, height, width, channels).

    Returns:
        The same tensor. A gradient of all zeros stays so; components that overflowed count as the
        largest number, those that are no numbers as 0.
    """

    def backward(upstream):
        finite = tf.where(tf.math.is_nan(upstream), tf.zeros_like(upstream), upstream)
        finite = tf.clip_by_value(finite, upstream.dtype.min, upstream.dtype.max)
        largest = tf.reduce_max(tf.abs(finite), axis=[1, 2, 3], keepdims=True)
        return tf.math.divide_no_nan(finite, largest)

    return tf.identity(images), backward

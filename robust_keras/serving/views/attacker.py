"""A classifier as an attacker may look at it: averaged, scaled, with another backward pass."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras.arguments import refuse


def averaged(classifier: Any, samples: int) -> Any:
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
    if not isinstance(samples, int) or isinstance(samples, bool) or samples < 1:
        refuse("samples", "a whole number of at least 1", samples)
    if samples == 1 or classifier.deterministic:
        return classifier
    mean = mean_of(classifier.logits, samples, classifier.num_classes)
    return classifier.with_logits(mean, passes=samples)


def mean_of(logits: Callable, passes: int, classes: int) -> Callable:
    """The function whose logits are the mean of those of several passes.

    Args:
        logits: function from images to float32 (batch, classes).
        passes: how many.
        classes: columns of the logits.
    """

    def mean(images: tf.Tensor) -> tf.Tensor:
        # One pass after the other: a model may draw once for all images of a pass.
        drawn = tf.map_fn(
            lambda _: logits(images),
            tf.range(passes),
            parallel_iterations=1,
            fn_output_signature=tf.TensorSpec((None, classes), tf.float32),
        )
        return tf.reduce_mean(drawn, axis=0)

    return mean


def at_temperature(classifier: Any, temperature: float | str) -> Any:
    """The same classifier to an attacker who takes its logits divided by T.

    Its answers are the same, as the largest logit stays the largest; gradients of a
    cross-entropy are not. A model trained at a high temperature has logits so large that the
    softmax saturates and an attacker who does not divide them by T finds no gradient. An
    attacker who knows no T removes it: each image's logits are divided by their standard
    deviation, so that no scale saturates anything.

    Args:
        classifier: `serving.Classifier`.
        temperature: T > 0, or "removed".

    Raises:
        ValueError: the temperature is neither.
    """
    if temperature == "removed":
        return _scaled(classifier, _without_scale)
    if isinstance(temperature, str) or not temperature > 0:
        raise ValueError(
            f'`temperature` must be above 0 or "removed". Received: temperature={temperature}'
        )
    if temperature == 1.0:
        return classifier
    return _scaled(classifier, lambda logits: logits / temperature)


def _scaled(classifier, function):
    logits = classifier.logits
    return classifier.with_logits(lambda images: function(logits(images)), scaled_from=classifier)


def _without_scale(logits):
    """Logits over their own standard deviation, which counts as a constant on the way back.

    Were it differentiated, two classes would have no gradient: their ratio to it never changes.
    """
    spread = tf.stop_gradient(tf.math.reduce_std(logits, axis=-1, keepdims=True))
    return logits / tf.where(spread > 0.0, spread, tf.ones_like(spread))


def straight_through(classifier: Any, backward: Callable) -> Any:
    """A classifier that answers as it is and is differentiated as another one.

    Backward pass differentiable approximation: a defence that quantises, samples or otherwise has
    no useful gradient is attacked along the gradient of something that behaves like it: the model
    without the defence, a smooth stand-in, a substitute.

    Formula: `z(x) = f(x)`; on the way back the product with the Jacobian of `backward` at x.

    Args:
        classifier: `serving.Classifier`, f.
        backward: function from float32 images (batch, height, width, channels) to logits (batch,
            classes) that TensorFlow can differentiate, such as another classifier's `logits`.

    Returns:
        A classifier with f's answers; its `gradient_error` is that of `backward`.

    Reference: Athalye et al., "Obfuscated Gradients Give a False Sense of Security", 2018,
    arXiv 1802.00420.

    Example:
        >>> guarded = serving.load("runs/quickstart/serving")
        >>> attacked = straight_through(guarded, classifier.logits)
    """
    return classifier.with_logits(
        lambda images: _answers_of(classifier.logits(images), backward(images))
    )


def preprocessed(classifier: Any, function: Callable) -> Any:
    """A classifier behind a preprocessing that has no gradient, which counts as the identity.

    Formula: `z(x) = f(g(x))`; on the way back f's gradient at g(x).

    Args:
        classifier: `serving.Classifier`, f.
        function: g, from float32 images to images of the same shape, such as a quantisation, a
            JPEG round trip or a median filter, made of TensorFlow operations.

    Returns:
        A classifier of unprocessed images.

    Reference: as for `straight_through`.

    Example:
        >>> quantised = preprocessed(classifier, lambda images: tf.round(images * 7.0) / 7.0)
    """
    return classifier.with_logits(
        lambda images: classifier.logits(_answers_of(function(images), images))
    )


def _answers_of(forward, backward):
    """The first tensor, through which gradients reach the second."""
    # Variables must stay outside: custom_gradient wants gradients for those that it meets.
    return _swap(tf.stop_gradient(forward), backward)


@tf.custom_gradient
def _swap(forward, backward):
    def gradient(upstream):
        return tf.zeros_like(upstream), upstream

    return tf.ensure_shape(forward, backward.shape), gradient

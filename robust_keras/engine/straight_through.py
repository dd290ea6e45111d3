"""A backward pass of the attacker's choice, where a model's own leads nowhere."""

import tensorflow as tf


def straight_through(classifier, backward):
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


def preprocessed(classifier, function):
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

"""Moving images uphill inside the epsilon-ball: what every way of adversarial training shares."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras.errors import InputError


def project(candidates: tf.Tensor, images: tf.Tensor, epsilon: Any) -> tf.Tensor:
    """The nearest images to `candidates` in the linf ball around `images`, then in [0, 1].

    Args:
        candidates: tensor (batch, ...).
        images: tensor of the same shape, in [0, 1].
        epsilon: radius, at least 0; a number or a scalar tensor.

    Returns:
        A tensor of the same shape.
    """
    in_ball = tf.clip_by_value(candidates, images - epsilon, images + epsilon)
    return tf.clip_by_value(in_ball, 0.0, 1.0)


def direction(gradient: tf.Tensor) -> tf.Tensor:
    """The gradient's signs; 0 where half precision made it NaN, which no later step would undo."""
    signs = tf.sign(gradient)
    return tf.where(tf.math.is_nan(signs), tf.zeros_like(signs), signs)


def uniform_start(images: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
    """Images moved by noise drawn uniformly from the ball, within [0, 1].

    Args:
        images: tensor (batch, ...) in [0, 1].
        epsilon: radius, at least 0.
        seed: two integers; the same two give the same noise.

    Returns:
        A tensor of the same shape.
    """
    noise = tf.random.stateless_uniform(tf.shape(images), seed, -1.0, 1.0, alg="philox")
    return project(images + epsilon * noise, images, epsilon)


def nearby_start(images: tf.Tensor, epsilon: Any, seed: Any) -> tf.Tensor:
    """Images moved by 0.001 times normal noise, as TRADES starts; arguments as `uniform_start`."""
    noise = tf.random.stateless_normal(tf.shape(images), seed, alg="philox")
    return project(images + 0.001 * noise, images, epsilon)


def ascend(
    images: tf.Tensor,
    start: tf.Tensor,
    gradient_of: Callable,
    *,
    epsilon: Any,
    step: int,
    steps: int,
) -> tf.Tensor:
    """Signed gradient ascent: x' <- project(x' + step sign(gradient)), `steps` times.

    Args:
        images: tensor (batch, ...) in [0, 1], the centres of the balls.
        start: tensor of the same shape, where the ascent begins.
        gradient_of: function from such a tensor to the gradient with respect to it.
        epsilon: radius of the balls.
        step: size of a step, in units of pixels.
        steps: how many, at least 1.

    Returns:
        A tensor of the same shape, through which no gradient flows.

    Reference: Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, 2017,
    arXiv 1706.06083.
    """

    def one_step(candidates):
        return project(candidates + step * direction(gradient_of(candidates)), images, epsilon)

    if steps == 1:
        return tf.stop_gradient(one_step(start))
    (adversarial,) = tf.while_loop(
        lambda candidates: True,
        lambda candidates: (one_step(candidates),),
        (start,),
        maximum_iterations=steps,
    )
    return tf.stop_gradient(adversarial)


def gradient_of(logits_of: Callable, objective: Callable) -> Callable:
    """The gradient of `objective(logits_of(images))` by the images, as a function of them.

    Args:
        logits_of: function from images (batch, ...) to logits (batch, classes).
        objective: function from float32 logits to values (batch,), to be climbed.
    """

    def gradient(candidates):
        # Weights are not watched, so that no gradient of theirs is computed.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(candidates)
            value = tf.reduce_sum(objective(tf.cast(logits_of(candidates), tf.float32)))
        found = tape.gradient(value, candidates)
        if found is None:
            raise InputError.expected(
                "classifier",
                "outputs that depend on the image through operations with a gradient "
                "(no rounding, no whole-number input)",
                "none that has one",
            )
        return found

    return gradient


def divergence(clean_logits: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """KL(softmax(clean_logits) || softmax(logits)) of logits (batch, classes), shape (batch,)."""
    clean = tf.nn.log_softmax(tf.cast(clean_logits, tf.float32))
    moved = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    return tf.reduce_sum(tf.exp(clean) * (clean - moved), axis=-1)

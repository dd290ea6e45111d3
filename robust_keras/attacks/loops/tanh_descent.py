"""The inner loop of Carlini and Wagner's attack as one compiled graph for each classifier."""

import typing
from collections.abc import Callable

import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.loops.ascent import choose
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph
from robust_keras.attacks.loops.losses import margin

_FIRST_DECAY, _SECOND_DECAY, _TINY = 0.9, 0.999, 1e-8
# Just inside the pixel range, where the inverse of tanh is finite.
_INSIDE = 0.999999


class Problem(typing.NamedTuple):
    """What is given, one row an image; `weights`, float32 (batch,), are those of the margins."""

    images: tf.Tensor
    labels: tf.Tensor
    weights: tf.Tensor
    nearest: tf.Tensor


class State(typing.NamedTuple):
    """Where the descent stands, one row an image.

    The point before tanh, Adam's two moments, the loss at the last point, the nearest misclassified
    point found with any weight, its distance, and whether one was found with this weight.
    """

    point: tf.Tensor
    first: tf.Tensor
    second: tf.Tensor
    loss: tf.Tensor
    nearest: tf.Tensor
    distance: tf.Tensor
    fooled: tf.Tensor


class TanhDescent(Graph):
    """The compiled functions for one classifier.

    Args:
        logits, num_classes, image_shape: see `Graph`.
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...]):
        super().__init__(logits, num_classes, image_shape)
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        whole, numbers, truths = (
            tf.TensorSpec((None,), kind) for kind in (tf.int32, tf.float32, tf.bool)
        )
        problem = Problem(pixels, whole, numbers, pixels)
        state = State(pixels, pixels, pixels, numbers, pixels, numbers, truths)
        bounds, number = tf.TensorSpec((2,), tf.float32), tf.TensorSpec((), tf.float32)
        count = tf.TensorSpec((), tf.int32)
        arguments = [problem, state, bounds, number, count, count]
        self.leads = compiled.function(self._leads, [pixels, whole])
        self.begin = compiled.function(self._begin, [problem, numbers, bounds])
        self.descend = compiled.function(self._descend, arguments)

    def _leads(self, images, labels):
        """How far the label's logit is above all others, float32 (batch,): one forward pass."""
        return -margin(labels, self.answers(images))

    def _begin(self, problem, distances, bounds):
        """The `State` at the images, with the distances of the nearest points so far."""
        centre, half = _box(bounds)
        zeros = tf.zeros_like(problem.images)
        return State(
            point=tf.atanh((problem.images - centre) / half * _INSIDE),
            first=zeros,
            second=zeros,
            loss=tf.zeros_like(distances),
            nearest=problem.nearest,
            distance=distances,
            fooled=tf.zeros_like(distances, tf.bool),
        )

    def _descend(self, problem, state, bounds, rate, first, count):
        """The `State` after `count` iterations of Adam, the first being number `first`, from 0."""

        def body(index, state):
            return index + 1, self._step(problem, state, bounds, rate, index + 1)

        return tf.while_loop(lambda index, _: index < first + count, body, (first, state))[1]

    def _step(self, problem, state, bounds, rate, number):
        centre, half = _box(bounds)
        with tf.GradientTape() as tape:
            tape.watch(state.point)
            points = centre + half * tf.tanh(state.point)
            values = self.answers(points)
            squares = tf.reduce_sum(tf.square(points - problem.images), axis=(1, 2, 3))
            leads = tf.maximum(-margin(problem.labels, values), 0.0)
            loss = squares + problem.weights * leads
        gradient = tf.ensure_shape(tape.gradient(loss, state.point), state.point.shape)
        usable = tf.reduce_all(tf.math.is_finite(gradient), axis=(1, 2, 3))
        gradient = choose(usable, gradient, tf.zeros_like(gradient))
        first = _FIRST_DECAY * state.first + (1.0 - _FIRST_DECAY) * gradient
        second = _SECOND_DECAY * state.second + (1.0 - _SECOND_DECAY) * tf.square(gradient)
        times = tf.cast(number, tf.float32)
        rate *= tf.sqrt(1.0 - _SECOND_DECAY**times) / (1.0 - _FIRST_DECAY**times)
        fooled = is_fooled(values, problem.labels)
        distance = tf.sqrt(squares)
        better = fooled & (distance < state.distance)
        return State(
            point=state.point - rate * first / (tf.sqrt(second) + _TINY),
            first=first,
            second=second,
            loss=loss,
            nearest=choose(better, points, state.nearest),
            distance=tf.where(better, distance, state.distance),
            fooled=state.fooled | fooled,
        )


def _box(bounds):
    """Centre of the pixel range and half its width."""
    return (bounds[0] + bounds[1]) / 2.0, (bounds[1] - bounds[0]) / 2.0

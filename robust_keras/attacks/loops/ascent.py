"""The inner loop of APGD as one compiled graph for each classifier, loss and norm."""

import typing
from collections.abc import Callable

import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph, repeat
from robust_keras.attacks.loops.losses import (
    accepted_margin,
    aimed_margin,
    cross_entropy,
    dlr,
    even_cross_entropy,
    margin,
    targeted_dlr,
    unit_gradient,
)

# Each takes (labels, targets, logits) and returns what to maximise, (batch,).
LOSSES = {
    "cross_entropy": lambda labels, targets, logits: cross_entropy(labels, logits),
    "even_cross_entropy": lambda labels, targets, logits: even_cross_entropy(labels, logits),
    "margin": lambda labels, targets, logits: margin(labels, logits),
    "aimed_margin": aimed_margin,
    "dlr": lambda labels, targets, logits: dlr(labels, logits),
    "targeted_dlr": targeted_dlr,
    "accepted_margin": lambda labels, targets, logits: accepted_margin(labels, logits),
}
# Of the classes that these know, the last is no answer, and not wrong.
_DECLINING = ("accepted_margin",)


class Problem(typing.NamedTuple):
    """What is given, one row an image.

    Images, lowest and highest are float32 (batch, height, width, channels), the last two the
    limits of every pixel; labels and targets int32 (batch,); radius float32 (batch,).
    """

    images: tf.Tensor
    labels: tf.Tensor
    targets: tf.Tensor
    lowest: tf.Tensor
    highest: tf.Tensor
    radius: tf.Tensor


class State(typing.NamedTuple):
    """Where the search stands, one row an image.

    `increases` counts the steps since the last checkpoint that raised the loss; `checked_best` is
    the best loss there and `halved` whether the step was halved there. `fooled` stays true once a
    point was misclassified, and `adversarial` is the first such point, else the best one.
    """

    point: tf.Tensor
    previous: tf.Tensor
    gradient: tf.Tensor
    loss: tf.Tensor
    best: tf.Tensor
    best_gradient: tf.Tensor
    best_loss: tf.Tensor
    step: tf.Tensor
    increases: tf.Tensor
    checked_best: tf.Tensor
    halved: tf.Tensor
    fooled: tf.Tensor
    adversarial: tf.Tensor


class Ascent(Graph):
    """The compiled functions for one classifier, loss and norm.

    Args:
        logits, num_classes, image_shape: see `Graph`.
        loss: key of `LOSSES`.
        norm: "linf" or "l2".
    """

    def __init__(
        self,
        logits: Callable,
        num_classes: int,
        image_shape: tuple[int, ...],
        loss: str,
        norm: str,
    ):
        super().__init__(logits, num_classes, image_shape)
        self._loss = LOSSES[loss]
        self._declining = loss in _DECLINING
        self._norm = norm
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        numbers, whole, truths = (
            tf.TensorSpec((None,), kind) for kind in (tf.float32, tf.int32, tf.bool)
        )
        count, number = tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.float32)
        problem = Problem(pixels, whole, whole, pixels, pixels, numbers)
        state = State(
            *(pixels, pixels, pixels, numbers, pixels, pixels, numbers, numbers),
            *(whole, numbers, truths, truths, pixels),
        )
        arguments = [problem, state, count, count, number, numbers]
        self.begin = compiled.function(self._begin, [problem, pixels, number])
        self.climb = compiled.function(self._climb, arguments)

    def _begin(self, problem, changes, step):
        """The `State` at images plus changes, projected: one gradient. `step` is in radii."""
        point = self._project(problem, problem.images + changes)
        loss, gradient, fooled = self._evaluate(problem, point)
        return State(
            point=point,
            previous=point,
            gradient=gradient,
            loss=loss,
            best=point,
            best_gradient=gradient,
            best_loss=loss,
            step=step * problem.radius,
            increases=tf.zeros_like(problem.labels),
            checked_best=loss,
            halved=tf.zeros_like(fooled),
            fooled=fooled,
            adversarial=point,
        )

    def _climb(self, problem, state, first, last, weight, shares):
        """Takes the steps first ... last - 1, or fewer if all are fooled before.

        A weight below 1 leaves the rest to the step before; `shares` says how much of its step
        size each step takes.

        Returns:
            `(steps taken, state)`: one gradient a step.
        """

        def step(index, state):
            settings = tf.where(index == 0, 1.0, weight), shares[index]
            return self._step(problem, state, *settings)

        return repeat(step, state, lambda state: state.fooled, last, first)

    def _step(self, problem, state, weight, share):
        size = _as_column(state.step * share)
        ahead = self._project(problem, state.point + size * self._direction(state.gradient))
        momentum = (1.0 - weight) * (state.point - state.previous)
        point = self._project(problem, state.point + weight * (ahead - state.point) + momentum)
        loss, gradient, fooled = self._evaluate(problem, point)
        better = loss > state.best_loss
        best = choose(better, point, state.best)
        adversarial = choose(fooled, point, best)
        return state._replace(
            point=point,
            previous=state.point,
            gradient=gradient,
            loss=loss,
            best=best,
            best_gradient=choose(better, gradient, state.best_gradient),
            best_loss=choose(better, loss, state.best_loss),
            increases=state.increases + tf.cast(loss > state.loss, tf.int32),
            fooled=state.fooled | fooled,
            adversarial=choose(state.fooled, state.adversarial, adversarial),
        )

    def _evaluate(self, problem, points):
        """Loss, its gradient, and which points are misclassified."""
        with tf.GradientTape() as tape:
            tape.watch(points)
            values = self.answers(unit_gradient(points))
            loss = self._loss(problem.labels, problem.targets, values)
        gradient = tape.gradient(loss, points, unconnected_gradients="zero")
        return loss, gradient, is_fooled(values, problem.labels, declining=self._declining)

    def _direction(self, gradient):
        """The direction of length 1 that raises the loss fastest, 0 where there is no gradient."""
        if self._norm == "linf":
            return tf.sign(gradient)
        return tf.math.divide_no_nan(gradient, _lengths(gradient))

    def _project(self, problem, points):
        if self._norm == "l2":
            changes = points - problem.images
            scale = tf.math.divide_no_nan(_as_column(problem.radius), _lengths(changes))
            points = problem.images + changes * tf.minimum(scale, 1.0)
        return tf.clip_by_value(points, problem.lowest, problem.highest)


def checkpoint(state: State, window: float, rho: float) -> State:
    """Halves the step where the search has stalled, and goes back to the best point there.

    Formula: stalled: at most `rho window` of the last `window` steps raised the loss, or the step
    was not halved at the last checkpoint and the best loss has not risen since.

    Args:
        state: `State`.
        window: steps since the last checkpoint.
        rho: in (0, 1].

    Returns:
        The new `State`.
    """
    swinging = tf.cast(state.increases, tf.float32) <= rho * window
    idle = ~state.halved & (state.best_loss <= state.checked_best)
    stalled = swinging | idle
    return state._replace(
        point=choose(stalled, state.best, state.point),
        gradient=choose(stalled, state.best_gradient, state.gradient),
        loss=choose(stalled, state.best_loss, state.loss),
        step=choose(stalled, state.step / 2.0, state.step),
        increases=tf.zeros_like(state.increases),
        checked_best=state.best_loss,
        halved=stalled,
    )


def choose(condition: tf.Tensor, yes: tf.Tensor, no: tf.Tensor) -> tf.Tensor:
    """Rows of `yes` where the condition (batch,) holds, else of `no`."""
    column = tf.reshape(condition, (-1,) + (1,) * (len(yes.shape) - 1))
    return tf.where(column, yes, no)


def _as_column(numbers):
    return tf.reshape(numbers, (-1, 1, 1, 1))


def _lengths(changes):
    return tf.sqrt(tf.reduce_sum(tf.square(changes), axis=(1, 2, 3), keepdims=True))

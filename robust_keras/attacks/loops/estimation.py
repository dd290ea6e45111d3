"""Ascent along slopes of the margin that are estimated from logits alone."""

import typing
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable
from robust_keras.attacks.loops import random_directions
from robust_keras.attacks.loops.batches import batch_shape
from robust_keras.attacks.loops.fooled import correct
from robust_keras.attacks.loops.graph import Graph
from robust_keras.attacks.loops.losses import margin
from robust_keras.attacks.loops.prediction import predict
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.attacks.loops.targets import leads
from robust_keras.attacks.loops.task import Task


class SlopeEstimator(Graph):
    """The compiled estimate for one classifier and one kind of random directions.

    Formula: `1 / (2 width n) sum_i (m(x + width u_i) - m(x - width u_i)) u_i`, m the margin, u_i
    random directions; every x +- width u_i is clipped to the pixel range, as a model that is only
    asked will be asked for images.

    Args:
        logits, num_classes, image_shape: see `Graph`.
        kind: key of `random_directions.DRAWS`.
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...], kind: str):
        super().__init__(logits, num_classes, image_shape)
        self._kind = kind
        count = tf.TensorSpec((), tf.int32)
        arguments = [
            tf.TensorSpec((None, *image_shape), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, 2), tf.int32),
            count,
            count,
            tf.TensorSpec((), tf.float32),
            tf.TensorSpec((2,), tf.float32),
        ]
        self.estimate = compiled.function(self._estimate, arguments)

    def _estimate(self, points, labels, seeds, step, pairs, width, bounds):
        """Slopes float32 (batch, height, width, channels), from `pairs` directions an image."""

        def unfinished(first, total):
            return first < pairs

        def body(first, total):
            count = tf.minimum(pairs - first, random_directions.CHUNK)
            draw = self._kind, seeds, step, first, count, self._image_shape
            directions = random_directions.directions(*draw)
            ahead, behind = (
                self._margins(points, labels, sign * width * directions, bounds)
                for sign in (1.0, -1.0)
            )
            rises = tf.where(tf.math.is_finite(ahead - behind), ahead - behind, 0.0)
            return first + count, total + tf.einsum("nk,nkhwc->nhwc", rises, directions)

        start = tf.constant(0), tf.zeros_like(points)
        _, total = tf.while_loop(unfinished, body, start)
        return total / (2.0 * width * tf.cast(pairs, tf.float32))

    def _margins(self, points, labels, changes, bounds):
        candidates = tf.clip_by_value(points[:, None] + changes, bounds[0], bounds[1])
        values = random_directions.ask(self._logits, candidates)
        shape = tf.shape(values)
        flat = tf.reshape(values, (-1, values.shape[-1]))
        return tf.reshape(margin(tf.repeat(labels, shape[1]), flat), shape[:2])


class Gate(typing.NamedTuple):
    """Which images go on after `steps` steps.

    Those whose label's lead has fallen to the share `near` of its lead on the clean image.
    """

    steps: int
    near: float


def climb(
    task: Task,
    *,
    plan: Sequence[tuple[int, float]],
    kind: str,
    move: Callable,
    gate: Gate | None = None,
) -> Proposal:
    """Goes up the estimated slopes from a random point of the ball until the model is fooled.

    Args:
        task: `Task`.
        plan: one `(pairs, width)` a step: number of pairs of mirrored directions, and their length.
        kind: key of `random_directions.DRAWS`.
        move: function from (rows, slopes) to the changes of these rows, called once a step.
        gate: None, or who goes on; it takes two forward passes of those that have not fallen.

    Returns:
        `Proposal`: the first point that fooled the model, else the last one.
    """
    classifier, images, labels = task.classifier, task.images, task.labels
    project, epsilon = task.threat_model.project, task.epsilon
    graph = compiled.graph(classifier, SlopeEstimator, task.image_shape, kind)
    start = uniform_in_ball(task.generators, task.image_shape, epsilon, task.norm)
    points = project(images, images + start, epsilon)
    seeds = random_directions.seeds_of(task.generators)
    passes = np.ones(len(images), int)
    pending = np.flatnonzero(right_answers(classifier, points, labels, len(images)))
    for step, (pairs, width) in enumerate(plan):
        if not len(pending):
            break
        given = points[pending], labels[pending].astype(np.int32), seeds[pending]
        slopes = _slopes(graph, given, step, pairs, width, task.threat_model.bounds)
        ahead = points[pending] + move(pending, slopes)
        points[pending] = project(images[pending], ahead, epsilon)
        passes[pending] += 2 * pairs + 1
        pending = pending[right_answers(classifier, points[pending], labels[pending], len(images))]
        if gate is not None and step + 1 == gate.steps and len(pending):
            passes[pending] += 2
            pending = pending[_came_near(task.of(pending), points[pending], gate.near)]
    return Proposal(points, np.zeros_like(passes), passes)


def _came_near(task, points, near):
    return ~(leads(task, points) > near * leads(task))


def right_answers(
    classifier: Attackable, points: np.ndarray, labels: np.ndarray, largest: int
) -> np.ndarray:
    """Which points are classified as their labels, bool (rows,): one forward pass.

    Args:
        classifier: has `logits`.
        points: float32 array (rows, height, width, channels), at least one.
        labels: int array (rows,).
        largest: number of images in the full batch.
    """
    return correct(predict(classifier, points, batch_shape(len(points), largest)), labels)


def _slopes(graph, given, step, pairs, width, bounds):
    count = min(pairs, random_directions.CHUNK)
    settings = [tf.constant(value) for value in (step, pairs)]
    settings += [tf.constant(value, tf.float32) for value in (width, bounds)]
    parts = [
        graph.estimate(*(tf.constant(values[tile]) for values in given), *settings).numpy()
        for tile in random_directions.tiles(len(given[0]), count)
    ]
    return np.concatenate(parts)

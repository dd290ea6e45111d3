"""Square in the linf norm: stripes first, then squares at the edge of the ball."""

import typing
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from robust_keras.attacks.loops.random_squares import (
    RandomSearch,
    corners,
    random_signs,
    square_sides,
    windows,
)
from robust_keras.attacks.loops.task import Task


class Problem(typing.NamedTuple):
    """What is given, one row an image: labels, the pixels' limits, and twice epsilon."""

    labels: tf.Tensor
    lowest: tf.Tensor
    highest: tf.Tensor
    change: tf.Tensor


class LinfSquares(RandomSearch):
    """A square moves by 2 epsilon, with a sign a channel, and is projected.

    Args:
        logits, num_classes, image_shape: see `Graph`.
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...]):
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        whole, numbers = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)
        problem = Problem(whole, pixels, pixels, numbers)
        places = tf.TensorSpec((None, None), tf.int32)
        signs = tf.TensorSpec((None, None, image_shape[2]), tf.float32)
        super().__init__(logits, num_classes, image_shape, problem, [whole, places, places, signs])

    def candidate(
        self,
        problem: Problem,
        points: tf.Tensor,
        side: tf.Tensor,
        top: tf.Tensor,
        left: tf.Tensor,
        signs: tf.Tensor,
    ) -> tf.Tensor:
        """The points with one square of each changed."""
        inside = windows(top, left, side, *points.shape[1:3])
        change = tf.cast(inside, tf.float32)[..., None] * signs[:, None, None, :]
        points = points + change * problem.change[:, None, None, None]
        return tf.clip_by_value(points, problem.lowest, problem.highest)

    @staticmethod
    def start(task: Task) -> tuple[Problem, np.ndarray]:
        """The `Problem`, and the first candidates: vertical stripes at the edge of the ball."""
        lowest, highest = task.limits
        stripes = [random_signs(each.random(task.image_shape[1:])) for each in task.generators]
        first = np.where(np.stack(stripes)[:, None] > 0, highest, lowest)
        change = tf.fill((len(first),), tf.constant(2.0 * task.epsilon, tf.float32))
        labels = tf.constant(task.labels, tf.int32)
        return Problem(labels, tf.constant(lowest), tf.constant(highest), change), first

    sides = staticmethod(square_sides)

    @staticmethod
    def moves(
        generators: Sequence[np.random.Generator], sides: np.ndarray, shape: tuple[int, ...]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Random squares: sides alone, then top, left and signs (queries, batch, ...).

        One row of numbers a query, so the first queries are the same however many follow.
        """
        drawn = [generator.random((len(sides), 2 + shape[2])) for generator in generators]
        numbers = np.stack(drawn, axis=1)
        places = [corners(numbers[..., axis], sides, shape[axis]) for axis in (0, 1)]
        return [sides], [*places, random_signs(numbers[..., 2:])]

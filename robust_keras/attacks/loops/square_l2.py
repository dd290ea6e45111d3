"""Square in the l2 norm: part of the change moves from one square to another."""

import functools
import itertools
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

# As published: the smallest square of a query, and how many of the first fit along the image.
_SMALLEST, _TILES = 3, 5
_TINY = 1e-12


@functools.cache
def bump(side: int) -> np.ndarray:
    """Two hills side by side, one up and one down, of Euclidean norm 1.

    Formula: on the upper `side // 2` rows, divided by its norm, and negative on the rows below:
    `sum_(k >= d) 1 / (k + 1)^2`, d the distance (the larger of the two directions') from the
    middle of the half, k up to half the longer side.

    Args:
        side: of the square, >= 1.

    Returns:
        float32 array (side, side).

    Reference: Andriushchenko et al., 2020, arXiv 1912.00049, section 3.4.
    """
    halves = [_hill(side // 2, side), -_hill(side - side // 2, side)]
    both = np.concatenate(halves)
    return (both / np.linalg.norm(both)).astype(np.float32)


def _hill(height, width):
    rows, columns = (np.abs(np.arange(n) - n // 2) for n in (height, width))
    steps = 1.0 / np.arange(1, max(height, width) // 2 + 2) ** 2
    heights = np.cumsum(steps[::-1])[::-1]
    hill = heights[np.maximum(rows[:, None], columns[None])]
    return hill / np.linalg.norm(hill) if hill.size else hill


class Problem(typing.NamedTuple):
    """What is given, one row an image: labels, images, epsilon, and the pixel range."""

    labels: tf.Tensor
    images: tf.Tensor
    radius: tf.Tensor
    lowest: tf.Tensor
    highest: tf.Tensor


class L2Squares(RandomSearch):
    """The change inside a second square, and what is left of epsilon, goes into a first one.

    Formula, with d the change so far, U the first and V the second square, i a channel:
    `new_i = +-bump + d_i,U / norm(d_i,U)`, scaled to the norm
    `sqrt(norm(d_i,(U or V))^2 + max(epsilon^2 - norm(d)^2, 0) / channels)`; d becomes `new` on U,
    0 on the rest of V, is scaled to epsilon and clipped to the pixel range.

    Args:
        logits, num_classes, image_shape: see `Graph`.
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...]):
        pixels = tf.TensorSpec((None, *image_shape), tf.float32)
        whole, numbers = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)
        problem = Problem(whole, pixels, numbers, numbers, numbers)
        longest = min(image_shape[:2])
        moves = [
            whole,
            tf.TensorSpec((None, longest, longest), tf.float32),
            tf.TensorSpec((None, None, 4), tf.int32),
            tf.TensorSpec((None, None), tf.bool),
            tf.TensorSpec((None, None, image_shape[2]), tf.float32),
        ]
        super().__init__(logits, num_classes, image_shape, problem, moves)

    def candidate(
        self,
        problem: Problem,
        points: tf.Tensor,
        side: tf.Tensor,
        pattern: tf.Tensor,
        places: tf.Tensor,
        turned: tf.Tensor,
        signs: tf.Tensor,
    ) -> tf.Tensor:
        """The points with the change of each moved between two squares."""
        _, height, width, channels = points.shape
        tops, lefts = places[:, 0], places[:, 1]
        first = windows(tops, lefts, side, height, width)[..., None]
        second = windows(places[:, 2], places[:, 3], side, height, width)[..., None]
        changes = points - problem.images
        there = tf.where(first, changes, 0.0)
        new = _placed(pattern, tops, lefts, turned, height, width) * signs[:, None, None, :]
        new = tf.where(first, new + _unit(there, (1, 2)), 0.0)
        radius = problem.radius[:, None, None, None]
        left_over = tf.maximum(radius**2 - _squares(changes, (1, 2, 3)), 0.0) / channels
        wanted = tf.sqrt(_squares(tf.where(first | second, changes, 0.0), (1, 2)) + left_over)
        changes = tf.where(first, _unit(new, (1, 2)) * wanted, tf.where(second, 0.0, changes))
        points = problem.images + radius * _unit(changes, (1, 2, 3))
        lowest, highest = (b[:, None, None, None] for b in (problem.lowest, problem.highest))
        return tf.clip_by_value(points, lowest, highest)

    @staticmethod
    def start(task: Task) -> tuple[Problem, np.ndarray]:
        """The `Problem`, and the first candidates: a grid of bumps of random signs."""
        changes = np.stack([_grid(task.image_shape, each) for each in task.generators])
        norms = np.sqrt(np.square(changes).sum(axis=(1, 2, 3), keepdims=True))
        bounds = task.threat_model.bounds
        first = np.clip(task.images + task.epsilon * changes / norms, *bounds)
        numbers = (task.epsilon, *bounds)
        rows = [tf.fill((len(first),), tf.constant(value, tf.float32)) for value in numbers]
        problem = Problem(tf.constant(task.labels, tf.int32), tf.constant(task.images), *rows)
        return problem, first.astype(np.float32)

    @staticmethod
    def sides(queries: int, share: float, height: int, width: int) -> np.ndarray:
        """Side of the squares of each query: odd, at least 3, and no longer than the image."""
        sides = np.maximum(square_sides(queries, share, height, width), _SMALLEST)
        sides += 1 - sides % 2
        longest = min(height, width)
        return np.minimum(sides, longest - 1 + longest % 2 if longest > 1 else 1)

    @staticmethod
    def moves(
        generators: Sequence[np.random.Generator], sides: np.ndarray, shape: tuple[int, ...]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Sides and bumps; corners of both squares, turns and signs (queries, batch, ...)."""
        drawn = [generator.random((len(sides), 5 + shape[2])) for generator in generators]
        numbers = np.stack(drawn, axis=1)
        room = np.array([*shape[:2], *shape[:2]])
        places = corners(numbers[..., :4], sides, room)
        longest = min(shape[:2])
        patterns = np.zeros((len(sides), longest, longest), np.float32)
        for query, side in enumerate(sides):
            patterns[query, :side, :side] = bump(int(side))
        return [sides, patterns], [places, numbers[..., 4] < 0.5, random_signs(numbers[..., 5:])]


def _grid(shape, generator):
    """Bumps of a fifth of the height on a grid, each with a sign a channel, float32."""
    height, width, channels = shape
    side = max(1, height // _TILES)
    margin = (height - side * _TILES) // 2 if height >= _TILES else 0
    change = np.zeros(shape, np.float32)
    for row, column in itertools.product(range(height // side), range(width // side)):
        turned, *signs = generator.random(1 + channels)
        tile = bump(side).T if turned < 0.5 else bump(side)
        top, left = margin + row * side, margin + column * side
        place = change[top : top + side, left : left + side]
        place += (tile[..., None] * random_signs(np.array(signs)))[: len(place), : place.shape[1]]
    return change


def _placed(pattern, tops, lefts, turned, height, width):
    """The pattern, turned or not, with its corner at each image's place: (batch, h, w, 1)."""
    longest = pattern.shape[0]
    rows = tf.clip_by_value(tf.range(height)[None] - tops[:, None], 0, longest - 1)[:, :, None]
    columns = tf.clip_by_value(tf.range(width)[None] - lefts[:, None], 0, longest - 1)[:, None, :]
    turned = turned[:, None, None]
    entries = tf.where(turned, columns * longest + rows, rows * longest + columns)
    return tf.gather(tf.reshape(pattern, (-1,)), entries)[..., None]


def _squares(values, axes):
    return tf.reduce_sum(tf.square(values), axis=axes, keepdims=True)


def _unit(values, axes):
    return values / (tf.sqrt(_squares(values, axes)) + _TINY)

"""Random search over squares of pixels: what Square does alike in both norms."""

import typing
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph, repeat
from robust_keras.attacks.loops.losses import margin

_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def square_sides(queries: int, share: float, height: int, width: int) -> np.ndarray:
    """Side of the square that each query changes.

    Formula: `round(sqrt(p height width))`, between 1 and the shorter side of the image; the share p
    is halved after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries, however many follow.

    Args:
        queries: number of squares.
        share: p at first, in (0, 1].
        height: of the image.
        width: of the image.

    Returns:
        int32 array (queries,).
    """
    halved = np.searchsorted(_HALVINGS, np.arange(queries), side="left")
    sides = np.rint(np.sqrt(share / 2.0**halved * height * width))
    return np.clip(sides, 1, min(height, width)).astype(np.int32)


class State(typing.NamedTuple):
    """Where the search stands: the best point, the label's lead there, whether it is fooled."""

    point: tf.Tensor
    lead: tf.Tensor
    fooled: tf.Tensor


class RandomSearch(Graph):
    """The compiled functions for one classifier; a subclass says what a query tries.

    That is `candidate(problem, point, *move)`, a tensor of points. A move is one entry of each
    array that the subclass' `moves` draws.

    Args:
        logits, num_classes, image_shape: see `Graph`.
        problem: what `begin` and `search` are given, as `TensorSpec`s; has `labels`.
        moves: `TensorSpec`s of the arrays of moves.
    """

    def __init__(
        self,
        logits: Callable,
        num_classes: int,
        image_shape: tuple[int, ...],
        problem: Any,
        moves: list[tf.TensorSpec],
    ):
        super().__init__(logits, num_classes, image_shape)
        pixels, numbers = (tf.TensorSpec((None, *s), tf.float32) for s in (image_shape, ()))
        state = State(pixels, numbers, tf.TensorSpec((None,), tf.bool))
        self.begin = compiled.function(self._begin, [problem, pixels])
        self.search = compiled.function(self._search, [problem, state, *moves])

    def _begin(self, problem, points):
        """The `State` at the points: one forward pass."""
        lead, fooled = self._look(problem, points)
        return State(points, lead, fooled)

    def _search(self, problem, state, *moves):
        """Makes one move after the other, or fewer if all images are fooled before.

        Returns:
            `(moves tried, state)`: one forward pass each.
        """

        def step(index, state):
            return self._try(problem, state, [values[index] for values in moves])

        return repeat(step, state, lambda state: state.fooled, tf.shape(moves[0])[0])

    def _try(self, problem, state, move):
        points = self.candidate(problem, state.point, *move)
        lead, fooled = self._look(problem, points)
        better = (fooled | (lead < state.lead)) & ~state.fooled
        return State(
            point=tf.where(better[:, None, None, None], points, state.point),
            lead=tf.where(better, lead, state.lead),
            fooled=state.fooled | fooled,
        )

    def _look(self, problem, points):
        values = self._logits(points)
        return -margin(problem.labels, values), is_fooled(values, problem.labels)


def windows(
    tops: tf.Tensor, lefts: tf.Tensor, side: tf.Tensor, height: int, width: int
) -> tf.Tensor:
    """The pixels inside one square an image, bool (batch, height, width)."""
    inside = []
    for first, length in ((tops, height), (lefts, width)):
        places = tf.range(length)[None] - first[:, None]
        inside.append((places >= 0) & (places < side))
    return inside[0][:, :, None] & inside[1][:, None, :]


def random_signs(numbers: np.ndarray) -> np.ndarray:
    """+1 or -1 for every number of U(0, 1), float32."""
    return np.where(numbers < 0.5, -1.0, 1.0).astype(np.float32)


def corners(numbers: np.ndarray, sides: np.ndarray, room: int | np.ndarray) -> np.ndarray:
    """Where squares begin, int32, for numbers of U(0, 1) of shape (queries, ...)."""
    sides = sides.reshape(-1, *[1] * (numbers.ndim - 1))
    return np.floor(numbers * (room - sides + 1)).astype(np.int32)

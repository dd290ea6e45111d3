"""Batches that shrink, in few shapes, as their images are done with."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf


def batch_shape(rows: int, largest: int) -> int:
    """How many rows a batch gets that must hold `rows`: one of eight sizes between powers of two.

    Args:
        rows: number of images, >= 1.
        largest: number of images in the full batch, >= rows.

    Returns:
        The smallest of 1, 2, 3, ..., 16, 18, 20, ..., 32, 36, 40, ... and `largest` that is at
        least `rows`.
    """
    unit = max(1, 2 ** ((rows - 1).bit_length() - 4))
    return min(-(-rows // unit) * unit, largest)


def halved_shape(rows: int, largest: int) -> int:
    """How many rows a batch gets that must hold `rows`, where every shape is traced anew.

    Args:
        rows: number of images, >= 1.
        largest: number of images in the full batch, >= rows.

    Returns:
        The smallest that is at least `rows` of ten sizes: `largest` and three quarters of it, and
        half, a quarter, an eighth and a sixteenth of both.
    """
    sizes = [-(-largest * part // (4 * 2**k)) for k in range(5) for part in (4, 3)]
    return min(size for size in sizes if size >= rows)


def padded_places(places: np.ndarray, largest: int) -> np.ndarray:
    """The places with the first one repeated until they fill a batch of one of the sizes.

    Args:
        places: int array (rows,), at least one.
        largest: number of images in the full batch.

    Returns:
        int array.
    """
    missing = batch_shape(len(places), largest) - len(places)
    return np.concatenate([places, np.repeat(places[:1], missing)])


class ShrinkingBatch:
    """Tensors with one row an image, from which finished images are taken out.

    Args:
        tensors: nested structure of tensors (rows, ...).
        real: how many of the rows are images; the others are padding.

    Attributes:
        tensors: the same structure, with the rows that are left.
        places: int array, the row that each one was at first.
        real: how many of the rows are no padding.
    """

    def __init__(self, tensors: Any, real: int):
        self.tensors = tensors
        self.real = real
        self.places = np.arange(len(tf.nest.flatten(tensors)[0]))
        self._largest = len(self.places)

    def keep(self, wanted: np.ndarray) -> bool:
        """Takes out the rows that are not wanted, once that makes the batch smaller.

        Args:
            wanted: bool array (rows,).

        Returns:
            Whether any wanted image is left.
        """
        kept = np.flatnonzero(wanted[: self.real])
        if len(kept) and batch_shape(len(kept), self._largest) < len(self.places):
            rows = padded_places(kept, self._largest)
            self.tensors = tf.nest.map_structure(lambda t: tf.gather(t, rows), self.tensors)
            self.places, self.real = self.places[rows], len(kept)
        return len(kept) > 0

    def run(self, spans: Iterable[tuple[int, int]], move: Callable, note: Callable) -> None:
        """Moves the images span by span, and takes out those that are done with in between.

        The tensors must be `(problem, state)`, of which only the state changes.

        Args:
            spans: tuples, one a move.
            move: called as `move(problem, state, *span)`; returns the passes taken and the state.
            note: called as `note(places, taken, state)` after each, with the places of the real
                rows; returns bool array (rows,), which ones go on. None left ends the run.
        """
        for span in spans:
            problem, state = self.tensors
            taken, state = move(problem, state, *span)
            self.tensors = problem, state
            if not self.keep(note(self.places[: self.real], int(taken), state)):
                return


def spans(steps: int, length: int) -> list[tuple[int, int]]:
    """Pieces of `length` steps, the last perhaps shorter, as `(steps before, steps)`.

    Example:
        >>> spans(5, 2)
        [(0, 2), (2, 2), (4, 1)]
    """
    return [(first, min(length, steps - first)) for first in range(0, steps, length)]

"""Which way leads across a decision boundary, asked with nothing but predicted classes."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable
from robust_keras.attacks.loops import random_directions
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.graph import Graph

_KINDS = {"linf": "uniform", "l2": "normal"}


class NormalEstimator(Graph):
    """The compiled estimate of the boundary's normal for one classifier and norm.

    Formula: `sum_i (s_i - mean s) u_i / n`, s_i = 1 where `x + width u_i` is misclassified, else
    -1; u_i random directions of length 1 (after clipping to the pixel range), normal in l2 and
    uniform a pixel in linf. Where all s_i are the same it is `s mean u`.

    Args:
        logits, num_classes, image_shape: see `Graph`; of the logits only the largest is looked at.
        norm: "linf" or "l2".
    """

    def __init__(self, logits: Callable, num_classes: int, image_shape: tuple[int, ...], norm: str):
        super().__init__(logits, num_classes, image_shape)
        self._kind = _KINDS[norm]
        count = tf.TensorSpec((), tf.int32)
        arguments = [
            tf.TensorSpec((None, *image_shape), tf.float32),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, 2), tf.int32),
            tf.TensorSpec((None,), tf.float32),
            count,
            count,
            tf.TensorSpec((2,), tf.float32),
        ]
        self.estimate = compiled.function(self._estimate, arguments)

    def _estimate(self, points, labels, seeds, widths, step, count, bounds):
        """Directions float32 (batch, height, width, channels), from `count` answers an image."""
        widths = widths[:, None, None, None, None]

        def unfinished(first, *_):
            return first < count

        def body(first, weighted, plain, signs):
            number = tf.minimum(count - first, random_directions.CHUNK)
            draw = self._kind, seeds, step, first, number, self._image_shape
            drawn = random_directions.directions(*draw)
            drawn /= tf.sqrt(tf.reduce_sum(tf.square(drawn), axis=(2, 3, 4), keepdims=True))
            ahead = points[:, None] + widths * drawn
            candidates = tf.clip_by_value(ahead, bounds[0], bounds[1])
            moved = (candidates - points[:, None]) / widths
            sign = self._signs(candidates, labels)
            weighted += tf.einsum("nk,nkhwc->nhwc", sign, moved)
            plain += tf.reduce_sum(moved, axis=1)
            return first + number, weighted, plain, signs + tf.reduce_sum(sign, axis=1)

        nothing = tf.zeros_like(points)
        start = tf.constant(0), nothing, nothing, tf.zeros_like(points[:, 0, 0, 0])
        _, weighted, plain, signs = tf.while_loop(unfinished, body, start)
        total = tf.cast(count, tf.float32)
        mean = (signs / total)[:, None, None, None]
        alike = tf.abs(mean) == 1.0
        return tf.where(alike, mean * plain, weighted - mean * plain) / total

    def _signs(self, candidates, labels):
        values = random_directions.ask(self._logits, candidates)
        return tf.where(is_fooled(values, labels[:, None]), 1.0, -1.0)


def towards_errors(
    classifier: Attackable,
    norm: str,
    points: np.ndarray,
    labels: np.ndarray,
    seeds: np.ndarray,
    widths: np.ndarray,
    *,
    step: int,
    count: int,
    bounds: tuple[float, float],
) -> np.ndarray:
    """Unit directions along which points beside the boundary are misclassified.

    Args:
        classifier: has `logits`.
        norm: "linf" or "l2"; the direction is the sign of the estimate, or it over its length.
        points: float32 array (rows, height, width, channels), on the boundary.
        labels: int array (rows,).
        seeds: see `random_directions.seeds_of`, of the rows.
        widths: float array (rows,), length of the probing steps, > 0.
        step: number of the estimate, so that each gets directions of its own.
        count: forward passes an image.
        bounds: smallest and largest pixel value.

    Returns:
        float64 array (rows, height, width, channels).
    """
    graph = compiled.graph(classifier, NormalEstimator, points.shape[1:], norm)
    given = points, labels.astype(np.int32), seeds, widths.astype(np.float32)
    settings = tf.constant(step), tf.constant(count), tf.constant(bounds, tf.float32)
    parts = [
        graph.estimate(*(tf.constant(values[tile]) for values in given), *settings).numpy()
        for tile in random_directions.tiles(len(points), min(count, random_directions.CHUNK))
    ]
    normals = np.concatenate(parts).astype(np.float64)
    if norm == "linf":
        return np.sign(normals)
    lengths = np.sqrt(np.square(normals).sum(axis=(1, 2, 3), keepdims=True))
    return np.divide(normals, lengths, np.zeros_like(normals), where=lengths > 0.0)

"""Linear lower bounds, carried backwards from a network's end to its image."""

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf

from robust_keras.bounds.affine import total
from robust_keras.bounds.interval import Interval


class Relaxation(Protocol):
    """A stage's bounds on a batch; see `affine.AffineRelaxation`."""

    output: Interval

    def pull(self, weights: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Turns a linear lower bound in terms of the output into one in terms of the inputs."""
        ...


@dataclasses.dataclass(frozen=True)
class Place:
    """A stage of a network at work on a batch of images.

    Args:
        relaxation: of the stage.
        sources: numbers of the values that it takes; 0 is the image.
    """

    relaxation: Relaxation
    sources: tuple[int, ...]


def lower_bounds(places: Sequence[Place], weights: tf.Tensor, image: Interval) -> tf.Tensor:
    """The least that linear forms of the last place's output can be.

    Args:
        places: `Place`s in the order of computation; place n makes value n + 1.
        weights: float64 tensor (batch, rows, ...) over the last place's output.
        image: `Interval` of the pixels.

    Returns:
        float64 tensor (batch, rows).
    """
    waiting = {len(places): weights}
    constant = tf.zeros(tf.shape(weights)[:2], tf.float64)
    for number in range(len(places), 0, -1):
        if number not in waiting:
            continue
        place = places[number - 1]
        pulled, added = place.relaxation.pull(waiting.pop(number))
        constant += added
        for source, part in zip(place.sources, pulled, strict=True):
            waiting[source] = waiting[source] + part if source in waiting else part
    weights = waiting.get(0)
    if weights is None:
        return constant
    return constant + least(weights, image)


def least(weights: tf.Tensor, x: Interval) -> tf.Tensor:
    """The least of linear forms (batch, rows, ...) over an `Interval` (batch, ...)."""
    centre, radius = x.centre[:, None], x.radius[:, None]
    return total(weights * centre - tf.abs(weights) * radius)

"""Linear lower bounds, carried backwards from a network's end to its image."""

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from robust_keras.bounds.interval import Interval
from robust_keras.bounds.relaxation import Relaxation, total

# Numbers that a pass over rows may hold in its largest tensor: 256 MiB of them.
_LARGEST = 2**25


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


def tightened(
    places: Sequence[Place], x: Interval, image: Interval, entries: tf.Tensor
) -> Interval:
    """The last place's output, its entries bounded once more by linear bounds of their own.

    Args:
        places: as `lower_bounds` takes them.
        x: what is known of that output.
        image: `Interval` of the pixels.
        entries: int64 tensor (n,), which entries, numbered as the output flattened.

    Returns:
        An `Interval`, nowhere wider than `x`.
    """
    shape, size = x.lower.shape, math.prod(x.lower.shape[1:])
    widest = max(math.prod(place.relaxation.output.lower.shape[1:]) for place in places)
    rows = max(1, _LARGEST // (2 * shape[0] * max(widest, math.prod(image.lower.shape[1:]))))
    lower, upper = (tf.reshape(side, [-1, size]) for side in (x.lower, x.upper))
    for first in range(0, len(entries), rows):
        part = entries[first : first + rows]
        forms = tf.one_hot(part, size, dtype=tf.float64)
        forms = tf.reshape(tf.concat([forms, -forms], 0), [1, 2 * len(part), *shape[1:]])
        forms = tf.repeat(forms, shape[0], 0)
        low, high = tf.split(lower_bounds(places, forms, image), 2, axis=1)
        lower, upper = _put(lower, part, low, tf.maximum), _put(upper, part, -high, tf.minimum)
    return x.like(tf.reshape(lower, shape), tf.reshape(upper, shape))


def _put(values, entries, new, better):
    """Values (batch, size) with those of some entries replaced by the better of old and new."""
    old = tf.gather(values, entries, axis=1)
    columns = tf.tensor_scatter_nd_update(
        tf.transpose(values), entries[:, None], tf.transpose(better(old, new))
    )
    return tf.transpose(columns)

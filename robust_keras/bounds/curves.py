"""Activations as curves: their range, and lines below and above them, over any interval.

Over [l, u] a curve f is enclosed by the lines `s x + min (f - s x)` and `s x + max (f - s x)`, each
with the slope s that leaves least room; 0 gives the range. Where the extremes of f - s x lie is
known in closed form, or they are looked for on a grid: with |f''| at most M, f - s x between two
points h apart exceeds neither by more than `h^2 M / 8`.

Reference: Zhang et al., "Efficient Neural Network Robustness Certification with General Activation
Functions", 2018, arXiv 1811.00866 (CROWN).
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from robust_keras.bounds.interval import Interval
from robust_keras.bounds.relaxation import Relaxation, total

_POINTS = 33
# Of the range of slopes in which the best is looked for.
_HALVINGS = 8
# Intervals this narrow have no chord worth the name.
_NARROW = 1e-9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """A function of one number, applied to every entry.

    Args:
        value: f, on float64 tensors whose last axis is the channels'.
        curvature: largest |f''| anywhere, float64, a number or one a channel; 0 where f is made of
            straight pieces that meet at `turns`.
        active: (low, high), each a number or one a channel: outside, f is a straight line to
            within `tail`.
        tail: how far f strays from a straight line outside `active`.
        turns: function of the slope s that gives all places within `active` where f - s x may have
            an extreme, where these are known; then no grid is needed.
        error: largest error of the layer as it computes, in `Interval.unit`s, of which a relative
            one of a few units need not be told.
        convex_at_zero: whether the better line below is 0 or x, as for ReLU.
    """

    value: Callable
    curvature: object = 0.0
    active: tuple = (0.0, 0.0)
    tail: object = 0.0
    turns: Callable | None = None
    error: object = 0.0
    convex_at_zero: bool = False

    def relax(self, x: Interval) -> Relaxation:
        """The curve's bounds for inputs within an `Interval`."""
        samples = self._samples(x)
        output = self._between(tf.zeros_like(x.lower), x, samples)
        error = x.unit * (8.0 * output.magnitude + self.error)
        # Where nothing is pulled back, nobody needs the lines.
        lines = functools.cache(lambda: self._enclosing(x, samples, output, error))

        def pull(weights):
            positive, negative = tf.nn.relu(weights), -tf.nn.relu(-weights)
            (low_slope, low), (high_slope, high) = lines()
            pulled = positive * low_slope[:, None] + negative * high_slope[:, None]
            constant = total(positive * low[:, None]) + total(negative * high[:, None])
            return [pulled], constant

        return Relaxation(output.widened(error), pull)

    def undecided(self, x: Interval) -> tf.Tensor:
        """Where tighter bounds of the input would tell more: a bool tensor like it."""
        if not self.convex_at_zero:
            return x.upper - x.lower > _NARROW
        return (x.lower < 0.0) & (x.upper > 0.0)

    def _enclosing(self, x, samples, output, error):
        """The line below and the line above, each (slope, height)."""
        width = x.upper - x.lower
        chord = (samples[1][1] - samples[1][0]) / tf.maximum(width, _NARROW)
        chord = tf.where(width > _NARROW, chord, tf.zeros_like(chord))
        if self.convex_at_zero:
            steep = tf.cast(x.upper > -x.lower, tf.float64)
            slopes = tf.where((x.lower < 0.0) & (x.upper > 0.0), steep, chord), chord
        else:
            slopes = [self._highest(sign, chord, x, samples, output) for sign in (1.0, -1.0)]
        below, above = (self._between(slope, x, samples) for slope in slopes)
        return (slopes[0], below.lower - error), (slopes[1], above.upper + error)

    def _highest(self, sign, chord, x, samples, output):
        """The slope of the line below `sign f` that is highest in the interval's middle.

        It touches the convex hull there: as long as f - s x is least left of the middle, a larger s
        is better. Its slope lies between those from the middle's least height to both ends.
        """
        middle, half = x.centre, tf.maximum(x.radius, _NARROW)
        least = tf.minimum(sign * output.lower, sign * output.upper)
        low, high = (least - sign * samples[1][0]) / half, (sign * samples[1][1] - least) / half
        for _ in range(_HALVINGS):
            slope = (low + high) / 2.0
            places, gaps = self._gaps(sign * slope, x, samples)
            gaps = sign * gaps
            lowest = tf.where(gaps <= tf.reduce_min(gaps, 0), places, -np.inf)
            left = tf.reduce_max(lowest, 0) < middle
            low, high = tf.where(left, slope, low), tf.where(left, high, slope)
        heights = []
        for slope in (sign * low, sign * high, chord):
            _, gaps = self._gaps(slope, x, samples)
            heights.append(tf.reduce_min(sign * gaps, 0) + sign * slope * middle)
        best = tf.where(heights[0] >= heights[1], sign * low, sign * high)
        return tf.where(heights[2] >= tf.maximum(heights[0], heights[1]), chord, best)

    def _samples(self, x):
        """Places at which f is looked at whatever the slope, the interval's ends first, and f."""
        low, high = (tf.clip_by_value(_wide(side, x), x.lower, x.upper) for side in self.active)
        places = [x.lower, x.upper, low, high]
        if self.turns is None:
            step = (high - low) / (_POINTS - 1)
            places += [low + n * step for n in range(1, _POINTS - 1)]
        places = tf.stack(places)
        return places, self.value(places)

    def _gaps(self, slope, x, samples):
        """Places, and f - s x there; their first axis is the places'."""
        places, values = samples
        if self.turns is not None and (turns := self.turns(slope)):
            extra = tf.stack([tf.clip_by_value(turn, x.lower, x.upper) for turn in turns])
            places = tf.concat([places, extra], 0)
            values = tf.concat([values, self.value(extra)], 0)
        return places, values - slope * places

    def _between(self, slope, x, samples):
        """Bounds of f - s x over the interval."""
        _, gaps = self._gaps(slope, x, samples)
        missed = self.tail
        if self.turns is None:
            step = (samples[0][3] - samples[0][2]) / (_POINTS - 1)
            missed += tf.square(step) * self.curvature / 8.0
        return x.like(tf.reduce_min(gaps, 0), tf.reduce_max(gaps, 0)).widened(missed)


def _wide(side, x):
    return tf.broadcast_to(tf.cast(side, tf.float64), tf.shape(x.lower))

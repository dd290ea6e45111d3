"""Activations as curves: their range, and lines below and above them, over any interval.

Over [l, u] a curve f is enclosed by the lines `s x + min (f - s x)` and `s x + max (f - s x)`; the
slope s is that of the chord, and 0 gives the range. Where the extremes of f - s x lie is known in
closed form, or they are looked for on a grid: with |f''| at most M, f - s x between two points h
apart exceeds neither by more than `h^2 M / 8`.

Reference: Zhang et al., "Efficient Neural Network Robustness Certification with General Activation
Functions", 2018, arXiv 1811.00866 (CROWN).
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras.bounds.affine import total
from robust_keras.bounds.interval import ROUNDING, Interval

_POINTS = 33
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
        error: largest error of the layer in float32, of which a relative one of a few units in the
            last place need not be told.
        convex_at_zero: whether the better line below is 0 or x, as for ReLU.
    """

    value: Callable
    curvature: object = 0.0
    active: tuple = (0.0, 0.0)
    tail: object = 0.0
    turns: Callable | None = None
    error: object = 0.0
    convex_at_zero: bool = False

    def relax(self, x: Interval) -> "CurveRelaxation":
        """The curve's bounds for inputs within an `Interval`."""
        width = x.upper - x.lower
        ends = self.value(x.lower), self.value(x.upper)
        chord = (ends[1] - ends[0]) / tf.maximum(width, _NARROW)
        slope = tf.where(width > _NARROW, chord, tf.zeros_like(chord))
        output = self._between(tf.zeros_like(slope), x, ends)
        error = self._error(output)
        return CurveRelaxation(
            functools.partial(self._enclosing, slope, x, ends, error), output.widened(error)
        )

    def undecided(self, x: Interval) -> tf.Tensor:
        """Where tighter bounds of the input would tell more: a bool tensor like it."""
        if not self.convex_at_zero:
            return x.upper - x.lower > _NARROW
        return (x.lower < 0.0) & (x.upper > 0.0)

    def _enclosing(self, slope, x, ends, error):
        below, above = self._lines(slope, x, ends)
        lines = (slope, below - error), (slope, above + error)
        if not self.convex_at_zero:
            return lines
        steep = tf.cast(x.upper > -x.lower, tf.float64)
        sloped = tf.where((x.lower < 0.0) & (x.upper > 0.0), steep, slope)
        return (sloped, self._lines(sloped, x, ends)[0] - error), lines[1]

    def _lines(self, slope, x, ends):
        gap = self._between(slope, x, ends)
        return gap.lower, gap.upper

    def _error(self, output):
        return 8.0 * ROUNDING * output.magnitude + self.error

    def _between(self, slope, x, ends):
        """Bounds of f - s x over the interval."""
        low, high = (tf.clip_by_value(_wide(side, x), x.lower, x.upper) for side in self.active)
        places = [x.lower, x.upper, low, high]
        gaps = [ends[0] - slope * x.lower, ends[1] - slope * x.upper]
        if self.turns is None:
            step = (high - low) / (_POINTS - 1)
            places += [low + n * step for n in range(1, _POINTS - 1)]
            between = tf.square(step) * self.curvature / 8.0
        else:
            places += [tf.clip_by_value(turn, x.lower, x.upper) for turn in self.turns(slope)]
            between = 0.0
        gaps += [self.value(place) - slope * place for place in places[2:]]
        least, most = gaps[0], gaps[0]
        for gap in gaps[1:]:
            least, most = tf.minimum(least, gap), tf.maximum(most, gap)
        return Interval(least, most).widened(between + self.tail)


class CurveRelaxation:
    """A curve at work on a batch; see `affine.AffineRelaxation`.

    Args:
        enclosing: function that gives two pairs (slope, height), the line below and the line above;
            called where they are needed.
        output: `Interval` of the values.
    """

    def __init__(self, enclosing: Callable, output: Interval):
        self.output = output
        self._enclosing = enclosing

    @functools.cached_property
    def lines(self) -> tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        """The line below and the line above, each (slope, height)."""
        return self._enclosing()

    def pull(self, weights: tf.Tensor) -> tuple[list[tf.Tensor], tf.Tensor]:
        """See `affine.AffineRelaxation.pull`."""
        positive, negative = tf.nn.relu(weights), -tf.nn.relu(-weights)
        (low_slope, low), (high_slope, high) = self.lines
        pulled = positive * low_slope[:, None] + negative * high_slope[:, None]
        constant = total(positive * low[:, None]) + total(negative * high[:, None])
        return [pulled], constant


def _wide(side, x):
    return tf.broadcast_to(tf.cast(side, tf.float64), tf.shape(x.lower))

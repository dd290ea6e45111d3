"""Channels sorted in pairs: the larger one, the smaller one."""

import tensorflow as tf

from robust_keras.bounds.activation_curves import RELU
from robust_keras.bounds.interval import Interval
from robust_keras.bounds.relaxation import Relaxation


class SortedPairs:
    """`max(a, b) = b + relu(a - b)` and `min(a, b) = a - relu(a - b)`, see `layers.MaxMin`."""

    def relax(self, x: Interval) -> Relaxation:
        """The bounds for inputs within an `Interval`; both rise with each input."""
        output = x.like(*(tf.concat(_sorted(end), -1) for end in (x.lower, x.upper)))
        rectified = RELU.relax(_difference(x))

        def pull(weights):
            larger, smaller = tf.split(weights, 2, axis=-1)
            (apart,), constant = rectified.pull(larger - smaller)
            return [tf.concat([smaller + apart, larger - apart], -1)], constant

        return Relaxation(output, pull)

    def undecided(self, x: Interval) -> tf.Tensor:
        """See `curves.Curve.undecided`."""
        open_pairs = RELU.undecided(_difference(x))
        return tf.concat([open_pairs, open_pairs], -1)


def _sorted(values):
    first, second = tf.split(values, 2, axis=-1)
    return tf.maximum(first, second), tf.minimum(first, second)


def _difference(x):
    (low, other_low), (high, other_high) = (tf.split(end, 2, -1) for end in (x.lower, x.upper))
    return x.like(low - other_high, high - other_low)

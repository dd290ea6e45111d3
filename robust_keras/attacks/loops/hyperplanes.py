"""The shortest way to a hyperplane for points that may not leave a box."""

import tensorflow as tf

# Far below what the attacks overshoot by.
_PRECISION = 1e-6
# A bound for the sake of inputs that are no numbers; in practice about five rounds are made.
_MOST_ROUNDS = 100


def shortest_changes(
    points: tf.Tensor,
    normals: tf.Tensor,
    values: tf.Tensor,
    lowest: tf.Tensor,
    highest: tf.Tensor,
    norm: str,
) -> tf.Tensor:
    """The smallest change of each point that reaches its hyperplane without leaving the box.

    Formula: minimises norm(d) subject to `value + normal . d = 0` and `lowest <= point + d <=
    highest`. The solution moves each coordinate i, against the value and along the normal's sign,
    by `min(t v_i, room_i)`, with `v_i = 1` (linf) or `|normal_i|` (l2) and the smallest t that
    suffices: the root of a concave function of straight pieces, to which Newton's method climbs
    from below. Where the box ends before the hyperplane, every coordinate goes as far as it can.

    Args:
        points: float32 tensor (rows, coordinates) within the box.
        normals: float32 tensor (rows, coordinates); a row of zeros leaves its point in place.
        values: float32 tensor (rows,), of the linear functions at the points.
        lowest: smallest coordinate.
        highest: largest coordinate.
        norm: "linf" or "l2".

    Returns:
        float32 tensor (rows, coordinates).

    Reference: Croce and Hein, "Minimally Distorted Adversarial Examples with a Fast Adaptive
    Boundary Attack", 2020, arXiv 1907.02044, section 3.1 (there by sorting).
    """
    directions = -tf.sign(values)[:, None] * tf.sign(normals)
    room = tf.where(directions > 0, highest - points, points - lowest)
    room = tf.where(directions == 0, 0.0, tf.maximum(room, 0.0))
    speeds = tf.ones_like(normals) if norm == "linf" else tf.abs(normals)
    gains = tf.abs(normals) * speeds
    times = _times(gains, tf.math.divide_no_nan(room, speeds), tf.abs(values))
    return directions * tf.minimum(times[:, None] * speeds, room)


def _times(gains, ends, wanted):
    """The smallest t with `sum_i gains_i min(t, ends_i) = wanted`, or one past all ends."""

    def missing(times):
        """What is still wanted, and how fast it is gained."""
        left = wanted - tf.reduce_sum(gains * tf.minimum(times[:, None], ends), axis=1)
        slopes = tf.reduce_sum(tf.where(ends > times[:, None], gains, 0.0), axis=1)
        return tf.where(left > _PRECISION * wanted, left, 0.0), slopes

    def unfinished(times, left, slopes):
        return tf.reduce_any((left > 0) & (slopes > 0))

    def body(times, left, slopes):
        times += tf.math.divide_no_nan(left, slopes)
        return times, *missing(times)

    start = tf.zeros_like(wanted)
    loop = start, *missing(start)
    times, *_ = tf.while_loop(unfinished, body, loop, maximum_iterations=_MOST_ROUNDS)
    return times

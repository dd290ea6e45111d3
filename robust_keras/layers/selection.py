"""Selection of the k-th largest value without a sort."""

import contextlib

import tensorflow as tf

from robust_keras.layers.copies import made_once
from robust_keras.layers.fusion import fused

# Bits that one pass over the values settles at most: more bins would leave the caches.
LARGEST_DIGIT = 11


def kth_largest(values: tf.Tensor, count: int, *, compiled: bool = True) -> tf.Tensor:
    """Returns the `count`-th largest of the values along axis 1, exactly.

    A radix selection: floats are ordered as their bits are, so each pass counts the values of each
    leading digit among those that share the threshold's digits so far. Three passes settle a
    float32, whatever the number of values. Only operations that TensorFlow Lite has, too.

    Args:
        values: float32 or float64, shape (batch, entries, channels), no NaN.
        count: scalar int32 in [1, entries]; it may change from step to step.
        compiled: whether passes over the values are `fused`: faster, but each number of rows takes
            half a second at first.

    Returns:
        The thresholds, shape (batch, 1, channels).
    """
    return _selected(values, tf.convert_to_tensor(count, tf.int32), compiled)


@made_once
def _selected(values, count, compiled):
    integer = tf.int64 if values.dtype == tf.float64 else tf.int32
    shape = tf.shape(values)
    batch, channels = shape[0], shape[2]
    remaining = tf.fill([batch, 1, channels], count)
    prefix = tf.zeros([batch, 1, channels], integer)
    width = _digit_width(values.shape[1], compiled)
    high, scope = integer.size * 8, fused if compiled else contextlib.nullcontext
    while high:
        low = max(high - width, 0)
        counts = _count_digits(values, prefix, low, high, scope)
        digit, remaining = _pick_grouped(counts, tf.reshape(remaining, [-1]))
        digit, remaining = (tf.reshape(part, [batch, 1, channels]) for part in (digit, remaining))
        step = tf.cast(digit, integer)
        prefix = prefix * _power(high - low, integer) + step
        high = low
    return _from_ordered(prefix, values.dtype)


def _digit_width(entries, compiled):
    """Returns how many bits a pass settles: few entries must not be counted in many bins."""
    if entries is None:
        return LARGEST_DIGIT
    # Passes op by op cost more, so that fewer of more bins are faster.
    return min(max(entries.bit_length() - 2 * compiled, 4), LARGEST_DIGIT)


def _count_digits(values, prefix, low, high, scope):
    """Counts the digits from bit `low` to `high` of the values that begin with the prefix.

    Returns:
        int32, shape (batch * channels, bins).
    """
    shape, bins = tf.shape(values), 1 << (high - low)
    segments = shape[0] * shape[2]
    first = tf.reshape(tf.range(segments) * bins, [shape[0], 1, shape[2]])
    with scope():
        ordered = _to_ordered(values)
        index = first + tf.cast(_bits(ordered, low, high), tf.int32)
        top = ordered.dtype.size * 8
        if high < top:
            # The sum leaves out what lies before its first bin.
            # Not `==`, which outside a `tf.function` compares the tensors as Python objects.
            index = tf.where(tf.equal(_bits(ordered, high, top), prefix), index, -1)
    # A third slower than `DenseBincount`, which TensorFlow Lite does not have.
    counts = tf.math.unsorted_segment_sum(tf.ones_like(index), index, segments * bins)
    return tf.reshape(counts, [segments, bins])


def _bits(ordered, low, high):
    """Returns the bits from `low` to `high` as a number without sign."""
    shifted, beyond = (
        tf.bitwise.right_shift(ordered, tf.constant(bit, ordered.dtype))
        for bit in (low, min(high, ordered.dtype.size * 8 - 1))
    )
    return shifted - beyond * _power(high - low, ordered.dtype)


def _power(exponent, integer):
    """Returns 2^exponent as a constant, by wrapping round where only the sign's bit is left."""
    power = 1 << exponent
    return tf.constant(power if power <= integer.max else integer.min, integer)


def _pick_grouped(counts, remaining):
    """Returns the bin that holds the value, counted from the last bin, and its place in there."""
    bins = counts.shape[1]
    size = 1 << (bins.bit_length() // 2)
    groups = tf.reshape(counts, [tf.shape(counts)[0], bins // size, size])
    group, remaining = _pick(tf.reduce_sum(groups, axis=2), remaining)
    inner, remaining = _pick(tf.gather(groups, group, axis=1, batch_dims=1), remaining)
    return group * size + inner, remaining


def _pick(counts, remaining):
    from_here = tf.cumsum(counts, axis=1, reverse=True)
    enough = tf.cast(from_here >= remaining[:, None], tf.int32)
    chosen = tf.reduce_sum(enough, axis=1) - 1
    here = tf.gather(counts, chosen, axis=1, batch_dims=1)
    beyond = tf.gather(from_here, chosen, axis=1, batch_dims=1) - here
    return chosen, remaining - beyond


def _to_ordered(values):
    """Returns integers the bits of which, read without sign, are in the order of the floats."""
    integer = tf.int64 if values.dtype == tf.float64 else tf.int32
    bits = tf.bitcast(values, integer)
    return tf.bitwise.bitwise_xor(bits, tf.where(bits < 0, tf.constant(-1, integer), integer.min))


def _from_ordered(ordered, dtype):
    """Undoes `_to_ordered`."""
    minimum, ones = (tf.constant(value, ordered.dtype) for value in (ordered.dtype.min, -1))
    return tf.bitcast(tf.bitwise.bitwise_xor(ordered, tf.where(ordered < 0, minimum, ones)), dtype)

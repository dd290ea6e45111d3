"""Selection of the k-th largest value without a sort."""

import tensorflow as tf


def kth_largest(values, count):
    """Returns the `count`-th largest of the values along axis 1, exactly.

    Args:
        values: float32 or float64, shape (batch, entries, channels), no NaN.
        count: scalar int32 in [1, entries]; it may change from step to step.

    Returns:
        The thresholds, shape (batch, 1, channels).
    """
    return _from_keys(_largest_key(_to_keys(values), count), values.dtype)


def _largest_key(keys, count):
    """Returns the largest key that at least `count` of the keys reach, by bisection."""
    shape = tf.concat([tf.shape(keys)[:1], [1], tf.shape(keys)[2:]], 0)
    low = tf.fill(shape, keys.dtype.min)
    bits = keys.dtype.size * 8
    for bit in reversed(range(bits)):
        # Setting the sign bit of the least key would overflow: it means a step up to zero.
        trial = tf.zeros_like(low) if bit == bits - 1 else low + tf.constant(1 << bit, keys.dtype)
        reached = tf.math.count_nonzero(keys >= trial, axis=1, keepdims=True, dtype=tf.int32)
        low = tf.where(reached >= count, trial, low)
    return low


def _to_keys(values):
    """Returns integers in the same order as the floats."""
    integer = tf.int64 if values.dtype == tf.float64 else tf.int32
    bits = tf.bitcast(values, integer)
    return tf.where(bits < 0, tf.bitwise.bitwise_xor(bits, integer.max), bits)


def _from_keys(keys, dtype):
    """Undoes `_to_keys`."""
    return tf.bitcast(tf.where(keys < 0, tf.bitwise.bitwise_xor(keys, keys.dtype.max), keys), dtype)

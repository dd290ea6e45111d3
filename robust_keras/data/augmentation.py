"""Random crops and flips that depend on nothing but a seed, so that a resumed run repeats them."""

import tensorflow as tf

_ALGORITHM = "philox"  # named, as the automatic choice may differ between devices


def crop_and_flip(images: tf.Tensor, seed: tf.Tensor, *, padding: int = 4) -> tf.Tensor:
    """Shifts every image by up to `padding` pixels, zeros moving in, and flips half of them.

    The usual augmentation for CIFAR-10 (He et al. 2016, arXiv 1512.03385).

    Args:
        images: floats (batch, height, width, channels).
        seed: two integers; the same seed gives the same crops and flips.
        padding: pixels of zeros on every side before the crop.

    Returns:
        Images of the same shape.
    """
    batch, height, width = (tf.shape(images)[axis] for axis in range(3))
    seeds = tf.random.experimental.stateless_split(seed, num=2, alg=_ALGORITHM)
    offsets = tf.random.stateless_uniform(
        (2, batch), seeds[0], maxval=2 * padding + 1, dtype=tf.int32, alg=_ALGORITHM
    )
    flips = tf.random.stateless_uniform((batch,), seeds[1], alg=_ALGORITHM) < 0.5
    margins = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    rows = tf.range(height) + offsets[0][:, tf.newaxis]
    columns = tf.range(width)
    columns = tf.where(flips[:, tf.newaxis], columns[::-1], columns) + offsets[1][:, tf.newaxis]
    padded = tf.gather(tf.pad(images, margins), rows, axis=1, batch_dims=1)
    return tf.ensure_shape(tf.gather(padded, columns, axis=2, batch_dims=1), images.shape)

"""Random training: noise of one size and random sign on half of the training images."""

import numpy as np
import tensorflow as tf

from robust_keras.data.checks import check_images
from robust_keras.data.datasets import to_float

_ALGORITHM = "philox"
_PROBABILITY = 0.5


def sign_noise_once(images: np.ndarray, seed: int, *, magnitude: float = 0.5) -> np.ndarray:
    """Adds `magnitude` times a random sign to every pixel of about half of the images.

    The study's way with MNIST: drawn once, before training. Pixels may leave [0, 1], as they do
    there.

    Args:
        images: array (n, height, width, channels), floats in [0, 1] or bytes.
        seed: whole number of at least 0.
        magnitude: size of the noise; published: 0.5.

    Returns:
        A float32 array of the same shape.

    Raises:
        InputError: other pixels.

    Reference: Zhao and Griffin, 2016, arXiv 1603.05145; that images are drawn with probability 1/2
    is from the authors' program.

    Example: `model.fit(sign_noise_once(images, seed=0), labels)`.
    """
    check_images(images, "images")
    images = to_float(images)
    generator = np.random.default_rng(seed)
    chosen = generator.random(len(images)) < _PROBABILITY
    noisy = np.array(images, np.float32)
    signs = generator.integers(0, 2, (int(chosen.sum()), *images.shape[1:]), np.int8) * 2 - 1
    noisy[chosen] += np.float32(magnitude) * signs
    return noisy


def sign_noise_batch(images: tf.Tensor, seed: tf.Tensor, *, magnitude: float = 0.15) -> tf.Tensor:
    """Adds `magnitude` times a random sign to every pixel of the batch, or leaves the batch.

    The study's way with CIFAR-10: half of the batches, drawn anew in every epoch.

    Args:
        images: tensor (batch, height, width, channels), floats in [0, 1] or bytes.
        seed: two integers; the same seed gives the same noise.
        magnitude: size of the noise; published: 0.15.

    Returns:
        A float tensor of the same shape; pixels may leave [0, 1].

    Reference: Zhao and Griffin, 2016, arXiv 1603.05145.

    Example: `batches.map(lambda x, y: (sign_noise_batch(x, (0, 1)), y))` draws the same noise for
        every batch; with `tf.data.Dataset.random` zipped in, another one.
    """
    images = tf.convert_to_tensor(images)
    if images.dtype == tf.uint8:
        images = tf.cast(images, tf.float32) / 255.0
    seeds = tf.random.experimental.stateless_split(seed, num=2, alg=_ALGORITHM)
    chosen = tf.random.stateless_uniform((), seeds[0], alg=_ALGORITHM) < _PROBABILITY
    uniform = tf.random.stateless_uniform(tf.shape(images), seeds[1], -1.0, 1.0, alg=_ALGORITHM)
    signs = tf.where(uniform < 0.0, -1.0, 1.0)
    return images + magnitude * tf.cast(chosen, images.dtype) * tf.cast(signs, images.dtype)

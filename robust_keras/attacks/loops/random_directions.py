"""Random directions that an image gets from its own seed, inside a compiled graph."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

# Directions of an image that are tried in one pass. Fixed, so that sums over them do not depend on
# how many images there are.
CHUNK = 64
# Images in one pass, at most, so that memory stays bounded.
_CANDIDATES = 512


def _signs(shape, seed):
    bits = tf.random.stateless_uniform(shape, seed, 0, 2, tf.int32, alg="philox")
    return 2.0 * tf.cast(bits, tf.float32) - 1.0


def _normal(shape, seed):
    return tf.random.stateless_normal(shape, seed, alg="philox")


def _uniform(shape, seed):
    return tf.random.stateless_uniform(shape, seed, -1.0, 1.0, alg="philox")


DRAWS = {"signs": _signs, "normal": _normal, "uniform": _uniform}


def seeds_of(generators: Sequence[np.random.Generator]) -> np.ndarray:
    """Two numbers of each generator, int32 (batch, 2): all that later directions depend on.

    Args:
        generators: one `numpy.random.Generator` an image.
    """
    return np.stack([g.integers(0, 2**31 - 1, 2, dtype=np.int32) for g in generators])


def directions(
    kind: str,
    seeds: tf.Tensor,
    step: tf.Tensor,
    first: tf.Tensor,
    count: tf.Tensor,
    image_shape: tuple[int, ...],
) -> tf.Tensor:
    """Independent random directions for every image.

    Args:
        kind: key of `DRAWS`.
        seeds: int32 tensor (batch, 2).
        step: int32 scalar; another step gives other directions.
        first: int32 scalar, number of those that were drawn before in this step.
        count: int32 scalar, how many.
        image_shape: (height, width, channels).

    Returns:
        float32 tensor (batch, count, height, width, channels).
    """
    shape = tf.concat([[count], image_shape], axis=0)

    def of_one_image(seed):
        here = tf.random.experimental.stateless_fold_in(seed, step)
        return DRAWS[kind](shape, tf.random.experimental.stateless_fold_in(here, first))

    spec = tf.TensorSpec((None, *image_shape), tf.float32)
    return tf.map_fn(of_one_image, seeds, fn_output_signature=spec)


def ask(logits: Callable, candidates: tf.Tensor) -> tf.Tensor:
    """Logits of many candidates an image, (batch, count, classes).

    Args:
        logits: function from images to (batch, classes).
        candidates: float32 tensor (batch, count, height, width, channels).
    """
    shape = tf.shape(candidates)
    values = logits(tf.reshape(candidates, tf.concat([[-1], shape[2:]], axis=0)))
    return tf.reshape(values, (shape[0], shape[1], values.shape[-1]))


def tiles(count: int, per_image: int) -> list[slice]:
    """Slices of a batch that are small enough for one pass.

    Args:
        count: number of images.
        per_image: candidates an image in one pass.

    Returns:
        List of slices.
    """
    images = max(1, _CANDIDATES // per_image)
    return [slice(first, first + images) for first in range(0, count, images)]

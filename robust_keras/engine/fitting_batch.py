"""How many images a pass may take: as many as fit into memory, and no more than serve."""

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import psutil
import tensorflow as tf

from robust_keras import compiled
from robust_keras.attackable import Attackable
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.errors import InputError

# Where it begins: small, for on a CPU a batch that does not fit may end the process without a word.
_FIRST = 16
# Powers of two up to here are tried; larger batches serve no device that was measured.
_LARGEST = 1024
# Slower by an image than the fastest so far by this share, and larger ones are not tried.
_SLOWER = 1.2
# Batches up to here are taken unweighed; passes of these sizes tell what an image more needs.
_SMALL = 250
_WEIGHED = (16, 64)
# Share of the memory that is free which one pass may take: attacks hold more than a pass.
_SHARE = 0.5


def fitting_batch(
    classifiers: Iterable[Attackable],
    images: np.ndarray,
    journal: Journal | Unrecorded,
    now: Callable[[], float] = time.perf_counter,
) -> int:
    """The batch size of the fastest gradient pass, by an image, of those that fit into memory.

    Sizes are doubled while that is faster. What fits all models is told; what was found is kept in
    the journal, so that a run that goes on takes the same.

    Args:
        classifiers: `Attackable`s.
        images: float32 array (images, height, width, channels), at least one.
        journal: `Journal` or `Unrecorded`.
        now: clock in seconds.

    Returns:
        A number of images, at least 1.

    Raises:
        InputError: not even one image fits.
    """
    models = list(classifiers)
    kept = journal.remember(
        ("fitting batch", images.shape, len(models)),
        lambda: {"size": np.int64(min(_fastest(model, images, now) for model in models))},
    )
    return int(kept["size"])


def bounded_batch(
    classifiers: Iterable[Attackable],
    images: np.ndarray,
    size: int,
    journal: Journal | Unrecorded,
    free: Callable[[], float] = lambda: psutil.virtual_memory().available,
) -> int:
    """A batch size, or half of it and so on where a pass would take over half the free memory.

    A GPU says that a batch does not fit, and it is halved; a system may end the process instead.
    So what an image more needs is measured on small passes, as the growth of this process.

    Args:
        classifiers: see `fitting_batch`.
        images: see there.
        size: the number asked for.
        journal: see there.
        free: bytes of memory that are left.

    Returns:
        A number of images, at most `size`; all of it where it is small or more than the images are.
    """
    if min(size, len(images)) <= _SMALL:
        return size

    def bounded():
        grown = max(_growth(model, images) for model in classifiers)
        limit = _SHARE * free()
        fitting = size
        while fitting > _SMALL and fitting * grown > limit:
            fitting = max(fitting // 2, _SMALL)
        return {"size": np.int64(fitting)}

    return int(journal.remember(("bounded batch", images.shape, size), bounded)["size"])


def halved(run: Callable, size: int) -> tuple[Any, int]:
    """`(run(size), size)` for the largest of size, size / 2, ... down to 1 that fits into memory.

    Raises:
        InputError: not even one image fits.
    """
    while True:
        try:
            return run(size), size
        except tf.errors.ResourceExhaustedError as error:
            if size == 1:
                raise InputError.expected(
                    "memory", "enough for a pass of one image", str(error).splitlines()[0]
                ) from error
            size = -(-size // 2)


def _fastest(model, images, now):
    step = _pass_of(model, images.shape[1:])

    def seconds(size):
        batch = tf.constant(np.resize(images, (size, *images.shape[1:])))
        step(batch).numpy()  # builds the function
        began = now()
        step(batch).numpy()
        return (now() - began) / size

    largest = min(_LARGEST, 2 ** int(np.ceil(np.log2(len(images)))))
    best, size = halved(seconds, min(_FIRST, largest))
    fastest = size
    with contextlib.suppress(tf.errors.ResourceExhaustedError):
        while size < largest:
            size *= 2
            found = seconds(size)
            if found < best:
                best, fastest = found, size
            elif found > _SLOWER * best:
                break
    return fastest


def _growth(model, images):
    """Bytes that a gradient pass needs for an image more, about."""
    step = _pass_of(model, images.shape[1:])

    def resident(size):
        step(tf.constant(np.resize(images, (size, *images.shape[1:])))).numpy()
        return psutil.Process().memory_info().rss

    try:
        few, many = map(resident, _WEIGHED)
    except tf.errors.ResourceExhaustedError:
        return 0.0  # this device tells, and the batch will be halved
    return max(many - few, 0) / (_WEIGHED[1] - _WEIGHED[0])


def _pass_of(model, image_shape):
    """A gradient pass, as attacks make; a forward pass where there are no gradients."""
    if model.gradient_error is not None:
        return model.logits

    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(model.logits(images))
        return tape.gradient(total, images, unconnected_gradients="zero")

    return compiled.function(step, [tf.TensorSpec((None, *image_shape))])

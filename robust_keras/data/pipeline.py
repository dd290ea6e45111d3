"""From an `ImageSplit` to batches: float32 images in [0, 1] and int64 labels.

Batches are gathered from its bytes, in memory or on the disk, and converted when needed.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from robust_keras.data.datasets import ImageSplit
from robust_keras.errors import InputError

# Named, as the automatic choice may differ between devices and the order must not.
_ALGORITHM = "philox"
# Nothing here branches on a tensor; having AutoGraph rewrite it is a twentieth of a short run.
_as_written = tf.autograph.experimental.do_not_convert


def steps_per_epoch(split: ImageSplit, batch_size: int) -> int:
    """Full batches in one pass; the few images left over change from epoch to epoch.

    Raises:
        InputError: the batch is larger than the split.
    """
    if batch_size > len(split):
        raise InputError.expected(
            "--batch_size", f"at most the {len(split)} training images", batch_size
        )
    return len(split) // batch_size


def training_dataset(
    split: ImageSplit,
    *,
    batch_size: int,
    seed: int,
    epochs: int,
    initial_epoch: int = 0,
    augment: Callable | None = None,
    share: tuple[int, int] | None = None,
) -> tf.data.Dataset:
    """Shuffled full batches of the epochs initial_epoch .. epochs - 1.

    The order of epoch e depends on (seed, e) only, so a run resumed at an epoch sees the batches
    that it would have seen without the interruption.

    Args:
        split: an `ImageSplit`.
        batch_size: images a batch, over all replicas.
        seed: of order and augmentation, in [0, 2**31).
        epochs: the first epoch that is not run.
        initial_epoch: the first epoch that is run.
        augment: None, or a function of (images, seed of two integers) that returns images of the
            same shape, such as `augmentation.crop_and_flip`.
        share: None, or (place, count) of a process that keeps one of so many equal parts of each
            batch: of images on the disk it reads that part, the others are black.

    Returns:
        A finite `tf.data.Dataset` of images (batch, height, width, channels) float32 and labels
        (batch,) int64.

    Raises:
        InputError: the batch is larger than the split.

    Example:
        batches = training_dataset(split, batch_size=128, seed=0, epochs=5, augment=crop_and_flip)
        model.fit(batches, epochs=5, steps_per_epoch=steps_per_epoch(split, 128))
    """
    if not 0 <= initial_epoch <= epochs:
        raise ValueError(
            f"`initial_epoch` must be in 0..{epochs}. Received: initial_epoch={initial_epoch}"
        )
    steps = steps_per_epoch(split, batch_size)
    gathered = _gathered(split, batch_size, share)

    @_as_written
    def epoch_batches(epoch):
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(split), dtype=tf.int64), seed=tf.stack([seed, epoch]), alg=_ALGORITHM
        )
        indices = tf.reshape(order[: steps * batch_size], (steps, batch_size))
        places = tf.range(steps, dtype=tf.int64)
        return tf.data.Dataset.from_tensor_slices((tf.fill((steps,), epoch), places, indices))

    def batch(epoch, step, indices):
        pixels, labels = gathered(indices)
        if augment is not None:
            pixels = augment(pixels, _batch_seed(seed, epoch, step))
        return pixels, labels

    dataset = tf.data.Dataset.range(initial_epoch, epochs).flat_map(epoch_batches)
    # A given function may have been written for AutoGraph.
    batch = batch if augment is not None else _as_written(batch)
    dataset = dataset.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.apply(
        tf.data.experimental.assert_cardinality((epochs - initial_epoch) * steps)
    )
    return _untuned(dataset.prefetch(tf.data.AUTOTUNE))


def evaluation_dataset(
    split: ImageSplit, *, batch_size: int, share: tuple[int, int] | None = None
) -> tf.data.Dataset:
    """The split's images in their order; the last batch may be smaller.

    A smaller batch is shared from its first part on, see `training_dataset`.

    Returns:
        A `tf.data.Dataset` of (images float32, labels int64).
    """
    dataset = tf.data.Dataset.range(len(split)).batch(batch_size)
    gathered = _gathered(split, batch_size, share)
    dataset = dataset.map(gathered, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return _untuned(dataset.prefetch(tf.data.AUTOTUNE))


def _untuned(dataset):
    """Leaves numbers of threads and buffers as they begin.

    What tunes them sleeps for up to a minute at a time, and an iterator's end may wait until it
    wakes: half a minute, in which nothing happens, after trainings of a minute.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _gathered(split, batch_size, share):
    """A function from places to the float images and the labels there."""
    # tf.data works on the host; without this the whole set would be put on a GPU first.
    with tf.device("CPU:0"):
        labels = tf.constant(split.labels)
        if split.is_streamed:
            pixels = split.images.gather
            if share is not None:
                pixels = functools.partial(_read_share, split.images, batch_size, *share)
        else:
            pixels = functools.partial(tf.gather, tf.constant(split.images))
    return _as_written(lambda places: (_to_float(pixels(places)), tf.gather(labels, places)))


def _read_share(images, batch_size, place, count, places):
    """The images of one part of a batch, black ones in the other parts."""
    rows = batch_size // count
    read = images.gather(places[place * rows : (place + 1) * rows])
    before = tf.minimum(place * rows, tf.size(places))
    behind = tf.size(places) - before - tf.shape(read)[0]
    padded = tf.pad(read, [[before, behind], [0, 0], [0, 0], [0, 0]])
    return tf.ensure_shape(padded, (*places.shape, *images.image_shape))


def _to_float(images):
    if images.dtype == tf.uint8:
        return tf.cast(images, tf.float32) / 255.0
    return images


def _batch_seed(seed, epoch, step):
    """A seed of its own for every batch of the run."""
    start = tf.stack([tf.cast(seed, tf.int64), epoch])
    return tf.random.experimental.stateless_fold_in(start, step, alg=_ALGORITHM)

import numpy as np
import pytest
import tensorflow as tf

from robust_keras.data import ImageSplit
from robust_keras.data.augmentation import crop_and_flip
from robust_keras.data.pipeline import evaluation_dataset, steps_per_epoch, training_dataset
from robust_keras.errors import InputError


@pytest.fixture(scope="module")
def split():
    pixels = np.random.default_rng(0).integers(0, 256, (23, 6, 5, 2), dtype=np.uint8)
    return ImageSplit(pixels, np.arange(23))


def _batches(split, **settings):
    settings = {"batch_size": 5, "seed": 3, "epochs": 4} | settings
    return [(x.numpy(), y.numpy()) for x, y in training_dataset(split, **settings)]


def test_batches_hold_each_image_once_an_epoch_in_another_order(split):
    batches = _batches(split)
    assert len(batches) == 4 * steps_per_epoch(split, 5) == 16
    images = split.float_images()
    for pixels, labels in batches:
        np.testing.assert_allclose(pixels, images[labels], rtol=1e-6)
    epochs = np.reshape([labels for _, labels in batches], (4, 20))
    assert all(len(set(epoch)) == 20 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert len({frozenset(epoch) for epoch in epochs}) > 1  # the images left out change


def test_element_spec_and_length_are_static(split):
    dataset = training_dataset(split, batch_size=5, seed=0, epochs=3, augment=crop_and_flip)
    images, labels = dataset.element_spec
    assert images == tf.TensorSpec((5, 6, 5, 2), tf.float32)
    assert labels == tf.TensorSpec((5,), tf.int64)
    assert dataset.cardinality().numpy() == 12


@pytest.mark.parametrize("augment", [None, crop_and_flip])
def test_resumed_run_sees_the_batches_of_an_uninterrupted_one(split, augment):
    whole = _batches(split, augment=augment)
    rest = _batches(split, augment=augment, initial_epoch=2)
    assert len(rest) == 8
    for (x, y), (resumed_x, resumed_y) in zip(whole[8:], rest, strict=True):
        np.testing.assert_array_equal(y, resumed_y)
        np.testing.assert_array_equal(x, resumed_x)


def test_seed_decides_the_order(split):
    first, again, other = (_batches(split, seed=s, epochs=1) for s in (0, 0, 1))
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any((a[1] != b[1]).any() for a, b in zip(first, other, strict=True))


def test_finished_run_has_no_batches(split):
    assert _batches(split, initial_epoch=4) == []
    with pytest.raises(ValueError, match=r"`initial_epoch` must be in 0..4. Received: .*=5"):
        _batches(split, initial_epoch=5)


def test_batch_larger_than_the_split_is_refused(split):
    with pytest.raises(InputError, match="--batch_size: expected at most the 23.*received 24"):
        _batches(split, batch_size=24)


def test_evaluation_keeps_order_and_every_image(split):
    dataset = evaluation_dataset(split, batch_size=10)
    images, labels = (
        np.concatenate(part) for part in zip(*dataset.as_numpy_iterator(), strict=True)
    )
    np.testing.assert_array_equal(labels, split.labels)
    np.testing.assert_allclose(images, split.float_images(), rtol=1e-6)
    assert [len(y) for _, y in dataset] == [10, 10, 3]


def test_float_pixels_are_not_divided():
    images = np.random.default_rng(0).random((4, 2, 2, 1))
    split = ImageSplit(images, np.arange(4))
    ((pixels, labels),) = _batches(split, batch_size=4, epochs=1)
    np.testing.assert_allclose(pixels, images[labels], rtol=1e-6)


def test_augmentation_is_a_crop_and_perhaps_a_flip():
    images = np.random.default_rng(1).random((40, 6, 5, 2)).astype(np.float32)
    augmented = crop_and_flip(images, (7, 1), padding=2).numpy()
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    seen = set()
    for result, source in zip(augmented, padded, strict=True):
        found = [
            (row, column, flip)
            for row in range(5)
            for column in range(5)
            for flip in (1, -1)
            if np.array_equal(result, source[row : row + 6, column : column + 5][:, ::flip])
        ]
        assert len(found) == 1
        seen.update(found)
    for place, expected in enumerate(({0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {1, -1})):
        assert {found[place] for found in seen} == expected


def test_augmentation_depends_on_its_seed_and_changes_every_batch(split):
    images = tf.constant(split.float_images())
    first = crop_and_flip(images, (0, 1))
    np.testing.assert_array_equal(first, crop_and_flip(images, (0, 1)))
    assert np.any(first.numpy() != crop_and_flip(images, (0, 2)).numpy())
    ones = ImageSplit(np.ones((8, 9, 9, 1), np.float32), np.arange(8))
    means = {x.mean() for x, _ in _batches(ones, batch_size=4, epochs=4, augment=crop_and_flip)}
    assert len(means) > 4


def test_nothing_tunes_the_batches(split):
    training = training_dataset(split, batch_size=5, seed=0, epochs=1)
    for dataset in (training, evaluation_dataset(split, batch_size=5)):
        further = dataset.map(lambda images, labels: (images, labels))
        assert further.options().autotune.enabled is False

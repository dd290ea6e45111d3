"""Random and mean training: what is added to the images, to how many, and with which labels."""

import numpy as np
import pytest
import tensorflow as tf

from robust_keras.data import ImageSplit, mean_training, noise_training, pipeline
from robust_keras.data.training_set import TrainingSet
from robust_keras.runs import training_data
from robust_keras.settings.config import TrainConfig

GREY = np.random.default_rng(0).uniform(size=(400, 4, 4, 1)).astype("float32")
COLOUR = np.random.default_rng(0).uniform(size=(40, 4, 4, 3)).astype("float32")


def split(images):
    return ImageSplit(images, np.arange(len(images)) % 2)


def config(**changes):
    return TrainConfig(**{"dataset": "mnist5k", **changes})


def test_noise_once_moves_every_pixel_of_half_of_the_images_by_its_size():
    moved = noise_training.sign_noise_once(GREY, seed=0) - GREY
    noisy = np.any(moved != 0, axis=(1, 2, 3))
    assert 0.4 < noisy.mean() < 0.6
    np.testing.assert_allclose(np.abs(moved[noisy]), 0.5, atol=1e-6)
    assert abs(np.sign(moved[noisy]).mean()) < 0.1
    np.testing.assert_array_equal(noise_training.sign_noise_once(GREY, seed=0) - GREY, moved)
    assert np.any(noise_training.sign_noise_once(GREY, seed=1) - GREY != moved)


def test_noise_of_a_batch_comes_to_half_of_the_batches_as_a_whole():
    changes = [noise_training.sign_noise_batch(COLOUR, (0, i)).numpy() - COLOUR for i in range(60)]
    noisy = [change for change in changes if np.any(change)]
    assert 18 <= len(noisy) <= 42
    np.testing.assert_allclose(np.abs(noisy), 0.15, atol=1e-6)
    assert not np.array_equal(noisy[0], noisy[1])


def test_nonsense_has_the_published_counts_and_spreads():
    around_mean, plain = mean_training.nonsense_images(np.repeat(GREY, 50, axis=0), seed=0)
    assert len(around_mean) == len(plain) == 2000
    spreads = (around_mean - GREY.mean(axis=0)).std(axis=(1, 2, 3))
    assert 0.45 < spreads.mean() < 0.53  # u d has mean 1/2; 16 pixels lose a little
    assert spreads.std() > 0.2  # each image has a u of its own
    assert plain.mean() == pytest.approx(0.5, abs=0.01)
    assert plain.std() == pytest.approx(0.5, abs=0.01)
    assert plain.min() < 0 < 1 < plain.max()
    colour = mean_training.NONSENSE_CIFAR10
    assert [len(k) for k in mean_training.nonsense_images(COLOUR, 0, settings=colour)] == [2, 2]
    with pytest.raises(ValueError, match="`share` must be above 0. Received: share=0"):
        mean_training.NonsenseSettings(0, 1.0, 1.0)


def test_mean_training_adds_two_classes_at_the_end():
    made = mean_training.with_nonsense(GREY, np.arange(400) % 10, 10, seed=0)
    assert len(made) == 480
    np.testing.assert_array_equal(np.bincount(made.labels), [40] * 12)
    np.testing.assert_array_equal(made.images[:400], GREY)
    assert made.labels[400:].tolist() == [10] * 40 + [11] * 40


def test_the_published_way_depends_on_the_channels():
    settings = config(noise_training=True, mean_training=True)
    made = training_data.training_set(split(GREY), settings, 4)
    assert len(made) == 480
    assert set(made.labels.tolist()) == {0, 1, 2, 3}
    moved = np.abs(made.images[:400] - GREY)
    assert moved.max() == pytest.approx(0.5, abs=1e-6)
    assert training_data.augment(settings, (4, 4, 1)) is None
    colour = training_data.training_set(split(COLOUR), settings, 4)
    np.testing.assert_array_equal(colour.images[:40], COLOUR)
    assert len(colour) == 44
    assert training_data.augment(settings, (4, 4, 3)) is not None


def test_flags_override_the_published_way():
    settings = config(noise_training=True, noise_magnitude=0.1, noise_draw="batch")
    given = split(GREY)
    assert training_data.training_set(given, settings, 2) is given
    change = training_data.augment(settings, (4, 4, 1))
    moved = np.concatenate([change(GREY, tf.constant([0, i])) - GREY for i in range(8)])
    assert np.abs(moved).max() == pytest.approx(0.1, abs=1e-6)
    settings = config(mean_training=True, nonsense_share=0.5)
    assert len(training_data.training_set(given, settings, 4)) == 800


def test_nothing_is_added_unless_asked_for():
    given = split(GREY)
    assert training_data.training_set(given, config(), 2) is given
    assert training_data.augment(config(), (4, 4, 1)) is None


def test_batches_of_a_training_set():
    soft = np.random.default_rng(0).dirichlet(np.ones(3), 400).astype("float32")
    made = TrainingSet(GREY + 1.0, soft)
    ((images, labels),) = pipeline.training_dataset(made, batch_size=400, seed=0, epochs=1)
    order = np.argsort(images.numpy()[:, 0, 0, 0])
    expected = np.argsort(made.images[:, 0, 0, 0])
    np.testing.assert_array_equal(images.numpy()[order], made.images[expected])
    np.testing.assert_array_equal(labels.numpy()[order], soft[expected])
    with pytest.raises(ValueError, match="one for each of 400 images. Received: 3 labels"):
        TrainingSet(GREY, np.zeros(3))

"""No robustness is measured on a model that does not know the images it is shown."""

import types

import numpy as np
import pytest
import tensorflow as tf

from robust_keras.audit import clean_checks
from robust_keras.notes.training_note import (
    TrainingNote,
    accuracy_in_training,
    accuracy_note,
    read_training_note,
)

CLASSES = 4
RANDOM = np.random.default_rng(0)
# A picture a class that no turning or exchange of channels leaves as it is.
PATTERNS = RANDOM.uniform(0.0, 1.0, (CLASSES, 6, 6, 3)).astype("float32")


def colours(images=200):
    """Noisy pictures of four classes, and their labels."""
    labels = np.arange(images) % CLASSES
    noise = RANDOM.normal(0.0, 0.05, (images, 6, 6, 3))
    return np.clip(PATTERNS[labels] + noise, 0.0, 1.0).astype("float32"), labels


class Nearest:
    """Answers with the class of the nearest picture, after looking at the images in its own way.

    What is near no picture gets the last answer, which is none of the classes.
    """

    num_classes, gradient_error = CLASSES + 1, None

    def __init__(self, look=lambda images: images, order=range(CLASSES)):
        self._look, self._order = look, list(order)

    def logits(self, images):
        images = self._look(tf.cast(images, tf.float32))
        distances = tf.reduce_sum(tf.square(images[:, None] - PATTERNS[None]), axis=(2, 3, 4))
        none = tf.fill((tf.shape(images)[0], 1), 1.0)
        return -tf.concat([tf.gather(distances, self._order, axis=1), none], axis=1)


IMAGES, LABELS = colours()
LOOKS = {
    "reverse order": lambda images: images[..., ::-1],
    "light and dark": lambda images: 1.0 - images,
    "rows and columns": lambda images: tf.transpose(images, (0, 2, 1, 3)),
    "0..255": lambda images: images / 255.0,
    "-1..1": lambda images: (images + 1.0) / 2.0,
    "mean 0": lambda images: images * IMAGES.std(axis=(0, 1, 2)) + IMAGES.mean(axis=(0, 1, 2)),
    "-0.5..0.5": lambda images: images + 0.5,
    "their mean off": lambda images: images / 255.0 + IMAGES.mean(axis=(0, 1, 2)),
}


def guessing(correct, labels, classes=10):
    right = np.arange(len(labels)) < correct
    found = types.SimpleNamespace(clean_correct=right)
    return clean_checks.better_than_guessing(found, np.asarray(labels), classes)


@pytest.mark.parametrize(
    ("correct", "labels", "passed"),
    [
        (40, np.arange(40) % 10, True),
        (12, np.arange(40) % 10, True),
        (7, np.arange(40) % 10, False),
        (4, np.arange(40) % 10, False),
        (0, np.arange(40) % 10, False),
        (200, np.arange(1000) % 10, True),
        (110, np.arange(1000) % 10, False),
        (5, np.arange(5), True),
        (1, [3], False),
        # Nine images of ten of one class: always that answer is as good.
        (90, [0] * 90 + [1] * 10, False),
        (99, [0] * 90 + [1] * 10, True),
        (50, [7] * 50, False),
        (30, np.arange(50) % 2, False),
    ],
)
def test_what_is_no_better_than_guessing_measures_nothing(correct, labels, passed):
    check = guessing(correct, labels)
    assert check.passed == passed and check.check == "clean accuracy"
    assert ("No robustness was measured" in check.message) != passed


def test_few_images_are_told_from_a_bad_model():
    assert "Take more images" in guessing(1, [3]).message
    assert "--model_pixels" in guessing(4, np.arange(40) % 10).message


def test_an_honest_model_is_read_as_it_is():
    for images, labels in ((IMAGES, LABELS), (IMAGES[:3], LABELS[:3])):
        assert clean_checks.other_readings(Nearest(), images, labels, 50).passed
    assert clean_checks.class_order(Nearest(), IMAGES, LABELS, 50).passed
    assert clean_checks.class_order(Nearest(), IMAGES[:10], LABELS[:10], 50).passed is None


@pytest.mark.parametrize("words", LOOKS)
def test_a_model_of_other_images_is_found_out(words):
    check = clean_checks.other_readings(Nearest(LOOKS[words]), IMAGES, LABELS, 50)
    assert check.passed is False
    assert words in check.message and "right on 100.0 % of the images instead of" in check.message


@pytest.mark.parametrize("order", [(1, 2, 3, 0), (1, 0, 2, 3)])
def test_another_order_of_the_classes_is_found_out(order):
    check = clean_checks.class_order(Nearest(order=order), IMAGES, LABELS, 50)
    assert check.passed is False and " for 0" in check.message
    assert clean_checks.other_readings(Nearest(order=order), IMAGES, LABELS, 50).passed


def test_an_untrained_model_is_no_better_in_any_reading():
    random = np.random.default_rng(1)
    weights = random.normal(size=(108, CLASSES)).astype("float32")
    model = types.SimpleNamespace(
        logits=lambda images: tf.reshape(images, (-1, 108)) @ weights, num_classes=CLASSES
    )
    images = random.uniform(size=(200, 6, 6, 3)).astype("float32")
    assert clean_checks.other_readings(model, images, LABELS, 50).passed
    assert clean_checks.class_order(model, images, LABELS, 50).passed


NOTE = TrainingNote("good.npz", "test", 1000, 970)


@pytest.mark.parametrize(
    ("right", "images", "passed"),
    [(97, 100, True), (36, 40, True), (20, 40, False), (180, 200, False), (1000, 1000, True)],
)
def test_an_accuracy_far_below_that_of_training_is_told(right, images, passed):
    found = np.arange(images) < right
    check = accuracy_in_training(NOTE, "somewhere/good.npz", "test", found)
    assert check.passed == passed and "97.0 %" in check.message


def test_other_images_are_not_compared():
    found = np.zeros(100, bool)
    assert accuracy_in_training(None, "good.npz", "test", found).passed is None
    for dataset, split in (("other.npz", "test"), ("good.npz", "train")):
        check = accuracy_in_training(NOTE, dataset, split, found)
        assert check.passed is None and "97.0 % on good.npz (test)" in check.message


def test_the_note_reads_back_and_nonsense_in_its_place_is_no_note(tmp_path):
    import json

    folder = tmp_path / "assets.extra"
    folder.mkdir()
    ((name, value),) = accuracy_note("a/good.npz", 0.97, 1000).items()
    (folder / name).write_text(json.dumps(value))
    assert read_training_note(tmp_path) == NOTE
    for text in ("", "[]", "{}", '{"dataset": 1}', json.dumps(value | {"correct": 2000}), "9" * 99):
        (folder / name).write_text(text)
        assert read_training_note(tmp_path) is None
    assert read_training_note(tmp_path / "model.keras") is None

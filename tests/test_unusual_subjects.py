"""Unusual inputs on models of every kind: colours, few and many classes, answers that are none."""

import keras
import numpy as np
import pytest

from robust_keras import layers, serving
from robust_keras.unusual import (
    CPPNEncoding,
    DirectEncoding,
    GradientAscent,
    MapElites,
    NoisySamples,
    NonsenseSamples,
    Subject,
)

SMALL = {"generations": 2, "initial": 6, "children": 4}
ALL = [
    NoisySamples(),
    NonsenseSamples(),
    GradientAscent(steps=3),
    MapElites(encoding=DirectEncoding(), **SMALL),
    MapElites(encoding=CPPNEncoding(), **SMALL),
]


def subject(shape, classes, *, batch_size=7, factor=1.0, **rule):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((*shape[:2], shape[2])),
            keras.layers.Flatten(),
            keras.layers.Dense(classes),
            keras.layers.Rescaling(factor),
            layers.RejectionRule(**rule),
        ]
    )
    generator = np.random.default_rng(0)
    images = generator.uniform(size=(10, *shape)).astype("float32")
    labels = generator.integers(0, classes, 10)
    return Subject(serving.from_keras(model), images, labels, batch_size=batch_size, seed=0)


def check(result, seen):
    if result.name in ("noisy", "nonsense"):
        assert len(result.strengths) == 13
        numbers = [(r.accepted, r.mean_confidence, r.largest_confidence) for r in result.strengths]
    else:
        assert [image.class_index for image in result.images] == list(range(seen.classes))
        assert {image.image.shape for image in result.images} == {seen.image_shape}
        numbers = [(image.confidence, image.accepted) for image in result.images]
    assert np.isfinite(numbers).all() and np.min(numbers) >= 0 and np.max(numbers) <= 1
    return np.array(numbers)


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
@pytest.mark.parametrize(
    ("shape", "classes", "batch_size"), [((6, 5, 3), 2, 7), ((1, 4, 2), 30, 8)]
)
def test_any_shape_and_number_of_classes(settings, shape, classes, batch_size):
    seen = subject(shape, classes, batch_size=batch_size)
    check(settings.run(seen), seen)


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_nonsense_classes_are_never_aimed_at(settings):
    seen = subject((6, 5, 1), 6, nonsense_classes=4)
    assert seen.classes == 2
    check(settings.run(seen), seen)


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.name)
def test_answers_that_are_no_numbers_count_as_none(settings):
    seen = subject((6, 5, 1), 3, factor=float("nan"))
    assert not check(settings.run(seen), seen).any()

"""Noise of one size and random sign, against a few lines of numpy."""

import types

import linear_model
import numpy as np
import pytest
import small_classifier
import tensorflow as tf

from robust_keras.serving.confidence import ConfidenceRule
from robust_keras.serving.rejection import Rejection
from robust_keras.unusual import NoisySamples, Subject
from robust_keras.unusual import noisy_samples as module

IMAGES = linear_model.GREYS


def linear(rejection=None, confidence=None, nonsense=0):
    model = linear_model.Linear(4)
    model.rejection, model.nonsense_classes = rejection, nonsense
    model.confidence = confidence or ConfidenceRule()
    return model


def subject(model, batch_size=16, seed=0):
    labels = linear_model.answers(model)
    return Subject(model, IMAGES, labels, batch_size=batch_size, seed=seed)


def softmax(logits):
    powers = np.exp(logits.astype(np.float64))
    return powers / powers.sum(axis=1, keepdims=True)


def noisy(seen, strength, clip):
    """The noisy images as the model saw them, found by catching what it was asked to judge."""
    caught = []

    def judge(images):
        caught.append(images)
        count = len(images)
        return types.SimpleNamespace(
            classes=np.zeros(count, int), accepted=np.ones(count, bool), largest=np.ones(count)
        )

    catching = types.SimpleNamespace(**vars(seen), judge=judge, generator=seen.generator)
    NoisySamples(strengths=(strength,), clip=clip).run(catching)
    return caught[0]


def test_every_pixel_moves_by_the_strength_one_way_or_the_other():
    changes = noisy(subject(linear()), 0.25, clip=False) - IMAGES
    np.testing.assert_allclose(np.abs(changes), 0.25, atol=1e-6)
    assert 0.4 < (changes > 0).mean() < 0.6
    assert len({change.tobytes() for change in np.sign(changes)}) > 50
    far = noisy(subject(linear()), 0.9, clip=True)
    assert far.min() == 0.0 and far.max() == 1.0


def test_the_numbers_are_those_of_numpy():
    model = linear()
    seen = subject(model)
    images = noisy(seen, 0.4, clip=True)
    confidences = softmax(images.reshape(-1, 12) @ model.weights)
    accepted, right = confidences.max(axis=1) > 0.5, confidences.argmax(axis=1) == seen.labels
    assert 0 < accepted.sum() < len(images) and 0 < right[accepted].sum() < accepted.sum()
    (found,) = NoisySamples(strengths=(0.4,)).run(seen).strengths
    assert found.accepted == pytest.approx(accepted.mean())
    assert found.accuracy == pytest.approx(right.mean())
    assert found.accuracy_accepted == pytest.approx(right[accepted].mean())
    assert found.mean_confidence == pytest.approx(confidences.max(axis=1).mean(), abs=1e-6)
    assert found.largest_confidence == pytest.approx(confidences.max(), abs=1e-6)


@pytest.mark.parametrize(("channels", "largest"), [(1, 0.5), (3, 0.15)])
def test_the_study_s_strengths(channels, largest):
    image = types.SimpleNamespace(image_shape=(8, 8, channels))
    strengths = module.published_strengths(image)
    assert (strengths[0], strengths[-1], len(strengths)) == (0.0, largest, 13)
    module.check_strengths(strengths)


def test_neither_batch_size_nor_other_images_matter():
    settings = NoisySamples(strengths=(0.0, 0.2))
    model = linear()
    results = [settings.run(subject(model, size)).strengths for size in (1, 7, 60)]
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            known, other_known = (vars(r) | {"examples": len(r.examples)} for r in (one, two))
            assert known == pytest.approx(other_known, abs=1e-6)
    reseeded = settings.run(subject(model, seed=1)).strengths[1]
    assert reseeded.mean_confidence != pytest.approx(results[0][1].mean_confidence, abs=1e-4)
    assert results[0][0].accuracy == 1.0
    few = Subject(model, IMAGES[:9], subject(model).labels[:9], batch_size=4, seed=0)
    np.testing.assert_array_equal(noisy(few, 0.3, False), noisy(subject(model), 0.3, False)[:9])


def test_a_model_s_own_rule_decides_what_is_accepted():
    rule = Rejection(1, 0.0, lambda images: tf.reduce_mean(images, axis=(1, 2, 3)) > 0.5)
    seen = subject(linear(rejection=rule, nonsense=1))
    (found,) = NoisySamples(strengths=(0.0,)).run(seen).strengths
    assert found.accepted == pytest.approx((IMAGES.mean(axis=(1, 2, 3)) <= 0.5).mean())
    assert 0 < found.accepted < 1
    confidences = softmax(IMAGES.reshape(-1, 12) @ linear().weights)[:, :3]
    assert found.mean_confidence == pytest.approx(confidences.max(axis=1).mean(), abs=1e-6)


def test_an_rbf_unit_s_confidence_is_its_own():
    seen = subject(linear(confidence=ConfidenceRule("rbf")))
    logits = (IMAGES.reshape(-1, 12) @ linear().weights).max(axis=1)
    (found,) = NoisySamples(strengths=(0.0,)).run(seen).strengths
    assert found.mean_confidence == pytest.approx(np.minimum(np.exp(logits), 1).mean(), abs=1e-6)
    nobody = subject(linear(confidence=ConfidenceRule("softmax", 1e6)))
    assert NoisySamples(strengths=(0.0,)).run(nobody).strengths[0].accuracy_accepted is None


def test_loud_noise_costs_a_network_accuracy():
    found = NoisySamples().run(small_classifier.subject())
    assert [row.strength for row in found.strengths] == list(module.MNIST)
    assert found.strengths[0].accuracy > 0.8 > found.strengths[-1].accuracy
    assert found.forward_evaluations == 13 * 60 and found.gradient_evaluations == 0


@pytest.mark.parametrize("strengths", [(0.2, 0.1), (0.1, 0.1), (-0.1,), (1.5,), (float("nan"),)])
def test_strengths_out_of_range_are_refused(strengths):
    with pytest.raises(ValueError, match="`strengths` must"):
        NoisySamples(strengths=strengths)

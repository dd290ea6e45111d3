"""Noise that shows nothing and its step towards a class, against a few lines of numpy."""

import keras
import linear_model
import numpy as np
import pytest

from robust_keras import layers, serving
from robust_keras.serving.confidence import ConfidenceRule
from robust_keras.training.hybrid_loss import HYBRID_MNIST, HybridLoss
from robust_keras.unusual import NonsenseSamples, Subject
from robust_keras.unusual import nonsense_samples as module

IMAGES = linear_model.GREYS


def subject(model, batch_size=16, count=20):
    return Subject(model, IMAGES[:count], np.zeros(count, int), batch_size=batch_size, seed=0)


def gradients(images, weights, classes):
    """Gradients of the cross-entropy of each class, (images, classes, 12)."""
    logits = images.reshape(-1, 12).astype(np.float64) @ weights
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    errors = (powers / powers.sum(axis=1, keepdims=True))[:, np.newaxis] - np.eye(len(weights.T))
    return (errors @ weights.T)[:, :classes]


def test_nonsense_spans_the_range_and_nothing_else():
    images = module.nonsense_images(subject(linear_model.Linear(3)), 200)
    assert images.dtype == np.float32 and images.shape == (200, 3, 4, 1)
    flat = images.reshape(200, -1)
    assert np.all(flat.min(axis=1) == 0.0) and np.all(flat.max(axis=1) == 1.0)
    assert flat.mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(
        images[:5], module.nonsense_images(subject(linear_model.Linear(4)), 5)
    )


@pytest.mark.parametrize("nonsense", [0, 2])
def test_the_step_is_that_of_the_most_sensitive_class_that_means_something(nonsense):
    model = linear_model.Linear(6)
    # The last classes would be the most sensitive by far.
    model.weights[:, 4:] *= 1.0 + 4.0 * nonsense
    model.nonsense_classes = nonsense
    seen = subject(model, batch_size=13)
    images = module.nonsense_images(seen, 20)
    found = module.most_sensitive_signs(seen, images)
    by_class = gradients(images, model.weights, 6 - nonsense)
    chosen = np.abs(by_class).sum(axis=2).argmax(axis=1)
    expected = np.sign(by_class[np.arange(20), chosen])
    assert len(set(chosen.tolist())) > 1
    np.testing.assert_array_equal(found.reshape(20, 12), expected)


def test_of_an_image_that_has_a_label_the_most_sensitive_wrong_class_is_taken():
    model = linear_model.Linear(6)
    seen = subject(model, batch_size=13)
    sensitive = np.abs(gradients(IMAGES[:20], model.weights, 6)).sum(axis=2)
    labels = sensitive.argmax(axis=1)
    found = module.most_sensitive_signs(seen, IMAGES[:20], labels)
    sensitive[np.arange(20), labels] = -1.0
    chosen = sensitive.argmax(axis=1)
    by_class = gradients(IMAGES[:20], model.weights, 6)
    expected = np.sign(by_class[np.arange(20), chosen])
    np.testing.assert_array_equal(found.reshape(20, 12), expected)


def test_an_rbf_unit_is_moved_along_the_hybrid_loss():
    model = linear_model.Linear(3)
    model.weights = -np.abs(model.weights)
    model.confidence = ConfidenceRule("rbf")
    seen = subject(model)
    images = module.nonsense_images(seen, 4)
    found = module.most_sensitive_signs(seen, images).reshape(4, 12)
    loss, step = HybridLoss(**HYBRID_MNIST), 1e-3
    for image, signs in zip(images.reshape(4, 12).astype(np.float64), found, strict=True):
        moved = [image + change for change in step * np.concatenate([np.eye(12), -np.eye(12)])]
        logits = (np.array(moved) @ model.weights).astype("float32")
        values = np.stack([loss.call(np.full(24, label), logits) for label in range(3)])
        slopes = (values[:, :12] - values[:, 12:]) / (2 * step)
        steepest = slopes[np.abs(slopes).sum(axis=1).argmax()]
        clear = np.abs(steepest) > 0.01
        assert clear.sum() >= 8
        np.testing.assert_array_equal(signs[clear], np.sign(steepest[clear]))


def test_strength_makes_nonsense_mean_something():
    model = linear_model.Linear(5)
    model.scale.assign(0.2)
    settings = NonsenseSamples(samples=40, strengths=(0.0, 0.5, 1.0), clip=False)
    result = settings.run(subject(model))
    accepted = [row.accepted for row in result.strengths]
    confidence = [row.mean_confidence for row in result.strengths]
    assert accepted[0] < accepted[2] and accepted[1] <= accepted[2]
    assert confidence[0] < confidence[2] and confidence[1] < confidence[2]
    assert all(row.mean_confidence <= row.largest_confidence for row in result.strengths)
    assert all(row.accuracy is None for row in result.strengths)
    assert (result.samples, result.gradient_evaluations) == (40, 200)
    assert result.forward_evaluations == 3 * 40


def test_batch_size_does_not_matter():
    model = linear_model.Linear(5)
    settings = NonsenseSamples(strengths=(0.0, 0.3))
    results = [settings.run(subject(model, size)).strengths for size in (1, 16, 300)]
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            known, other_known = (vars(r) | {"examples": len(r.examples)} for r in (one, two))
            assert known == pytest.approx(other_known, abs=1e-6)


def test_a_model_without_gradients_is_left_out():
    model = linear_model.Linear(3)
    model.gradient_error = "The gradient was lost."
    result = NonsenseSamples().run(subject(model))
    assert (result.skipped, result.strengths) == ("The gradient was lost.", ())
    assert result.gradient_evaluations == result.forward_evaluations == 0


def test_a_model_trained_on_nonsense_rejects_it():
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 600)
    bars = np.zeros((600, 6, 6, 1), "float32")
    bars[labels == 0, :, :3] = bars[labels == 1, :, 3:] = 1.0
    model = _network()
    nonsense = np.clip(generator.normal(0.5, 0.2, (600, 6, 6, 1)), 0, 1)
    both = np.concatenate([bars, nonsense]), np.concatenate([labels, np.full(600, 2)])
    model.fit(*both, batch_size=60, epochs=5, verbose=0)
    seen = Subject(serving.from_keras(model), bars[:50], labels[:50], batch_size=25, seed=0)
    result = NonsenseSamples(strengths=(0.0, 0.5)).run(seen)
    assert result.strengths[0].accepted < 0.1
    assert result.strengths[0].accepted <= result.strengths[1].accepted


def _network():
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dense(3),
            layers.RejectionRule(nonsense_classes=1),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model

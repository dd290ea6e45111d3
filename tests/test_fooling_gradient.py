"""Images that climb a model's confidence: the step by hand, the marks, the end."""

import linear_model
import numpy as np
import pytest
import small_classifier

from robust_keras.serving.confidence import ConfidenceRule
from robust_keras.unusual import GradientAscent, Subject
from robust_keras.unusual.fooling_image import from_bytes, to_bytes


def linear(classes=3, rule=None):
    model = linear_model.Linear(classes)
    model.confidence = rule or ConfidenceRule()
    images = linear_model.GREYS[:10]
    return Subject(model, images, np.zeros(10, int), batch_size=4, seed=0)


@pytest.fixture(scope="module", params=["mean", "uniform"])
def found(request):
    return GradientAscent(start=request.param).run(small_classifier.subject())


def test_an_undefended_network_is_sure_of_every_class(found):
    assert [image.class_index for image in found.images] == list(range(10))
    assert min(image.confidence for image in found.images) >= 0.99
    assert all(image.accepted for image in found.images)
    assert found.generations is None and found.skipped is None
    assert 10 <= found.gradient_evaluations <= 3010 and found.forward_evaluations == 10


def test_marks_come_in_their_order(found):
    for image in found.images:
        steps = list(image.iterations.values())
        assert list(image.iterations) == ["top", "0.99", "0.999", "0.9999"]
        assert None not in steps and steps == sorted(steps) and 0 <= steps[0] <= steps[-1] <= 300


def test_decay_pulls_back_to_the_mean():
    subject = small_classifier.subject()
    mean = subject.images.mean(axis=0)
    distances = []
    for decay in (0.0, 0.05):
        found = GradientAscent(decay=decay, start="uniform").run(subject)
        distances.append(np.mean([np.linalg.norm(i.image / 255 - mean) for i in found.images]))
    assert distances[1] < 0.7 * distances[0]


def test_what_is_reported_is_what_the_stored_bytes_give(found):
    images = np.stack([image.image for image in found.images])
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(to_bytes(from_bytes(images)), images)
    logits = small_classifier.classifier().logits(from_bytes(images)).numpy().astype(np.float64)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected = np.diag(powers / powers.sum(axis=1, keepdims=True))
    np.testing.assert_allclose([image.confidence for image in found.images], expected, rtol=1e-5)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("longest", [1e-3, 1e3])
def test_one_step_by_hand(longest):
    subject = linear()
    weights = subject.classifier.weights.astype(np.float64)
    mean = subject.images.mean(axis=0).reshape(12).astype(np.float64)
    settings = GradientAscent(steps=1, decay=0.1, start="uniform", longest=longest)
    starts = [settings._start(subject, mean.reshape(3, 4, 1), k).reshape(12) for k in range(3)]
    starts = np.stack(starts).astype(np.float64)
    p = softmax(starts @ weights)
    own = np.diag(p)
    gradient = own[:, np.newaxis] * (weights.T - p @ weights.T)
    gain = np.minimum(0.03, 0.1 * (1 - own))
    lengths = np.linalg.norm(gradient, axis=1)
    rate = gain / lengths**2
    rate = np.minimum(rate, longest * np.sqrt(12) / lengths)[:, np.newaxis]
    assert (rate[:, 0] < gain / lengths**2).all() == (longest == 1e-3)
    expected = np.clip(mean + 0.9 * (starts + rate * gradient - mean), 0, 1)
    better = np.diag(softmax(expected @ weights)) > own
    expected = np.where(better[:, np.newaxis], expected, starts)
    images = np.stack([image.image.reshape(12) for image in settings.run(subject).images])
    assert np.abs(images / 255 - expected).max() <= 0.5 / 255 + 1e-5


def test_without_decay_every_step_gains_what_it_aims_at():
    small = {"start": "uniform", "early": 0.01, "longest": 1e3}
    values = [
        [image.confidence for image in GradientAscent(steps=steps, **small).run(linear()).images]
        for steps in (1, 2)
    ]
    gains = np.diff(values, axis=0)[0]
    # Bytes round, bounds cut off, and the confidence bends.
    assert np.all(gains > 0.003) and np.all(gains < 0.02)


def test_a_class_whose_confidence_is_zero_is_reached_all_the_same():
    subject = linear()
    subject.classifier.scale.assign(300.0)
    starts = linear_model.GREYS[:1] * 0 + 0.5
    assert subject.judge(starts).confidences.shape == (1, 3)
    found = GradientAscent(start="uniform").run(subject)
    assert min(image.confidence for image in found.images) > 0.9999


def test_an_rbf_unit_is_climbed_by_its_own_confidence():
    subject = linear(rule=ConfidenceRule("rbf"))
    found = GradientAscent(steps=40, start="uniform").run(subject)
    for image in found.images:
        logit = (from_bytes(image.image).reshape(12) @ subject.classifier.weights)[
            image.class_index
        ]
        assert image.confidence == pytest.approx(min(np.exp(logit), 1.0), rel=1e-4)


def test_the_batch_size_does_not_matter():
    results = []
    for size in (1, 2, 50):
        subject = small_classifier.subject(batch_size=size)
        results.append(GradientAscent(steps=3, start="uniform").run(subject).images)
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert np.abs(one.image.astype(int) - two.image).max() <= 1
            assert one.confidence == pytest.approx(two.confidence, rel=0.02)


def test_a_model_without_gradients_is_left_out():
    subject = linear()
    subject.classifier.gradient_error = "The gradient was lost."
    result = GradientAscent().run(subject)
    assert (result.skipped, result.images) == ("The gradient was lost.", ())


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"decay": 1.0}, {"decay": -0.1}, {"start": "zero"}, {"early": 0.0}, {"late": 0}],
)
def test_settings_out_of_range_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received: {name}="):
        GradientAscent(**wrong)

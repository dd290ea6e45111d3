"""Expectation over a model's randomness: the mean, its gradient, its price, and what it finds."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from linear_model import linear

from robust_keras import engine, serving
from robust_keras.attacks import PGD, ThreatModel
from robust_keras.audit import forward_checks
from robust_keras.engine.passes import in_passes
from robust_keras.serving.views.attacker import averaged

pytestmark = pytest.mark.usefixtures("graphs_as_written")

WEIGHTS = np.random.default_rng(4).normal(size=(48, 3)).astype("float32")
WEIGHTS -= WEIGHTS.mean(axis=0)
IMAGES = np.random.default_rng(3).uniform(0.3, 0.7, (40, 4, 4, 3)).astype("float32")
EPSILON = 0.02


class Noisy(tf.Module):
    """Linear logits whose gradient is drowned in random numbers, and a little noise on top."""

    def __init__(self):
        super().__init__()
        self.calls = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4, 3), tf.float32, name="images")])
    def __call__(self, images):
        self.calls.assign_add(1)
        flat = tf.reshape(images, (-1, 48))
        random = 4.0 * tf.random.normal((48, 3))
        misleading = (flat - tf.stop_gradient(flat)) @ random
        noise = 0.02 * tf.random.normal((tf.shape(flat)[0], 3))
        return {"logits": flat @ WEIGHTS + misleading + noise}


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("noisy"))
    module = Noisy()
    tf.saved_model.save(module, directory, signatures=module.__call__)
    return serving.load(directory)


def robust(classifier):
    labels = np.argmax(IMAGES.reshape(40, 48) @ WEIGHTS, axis=1)
    settings = {"batch_size": 40, "seed": 0}
    threat_model = ThreatModel("linf", (EPSILON,))
    return engine.evaluate(classifier, IMAGES, labels, [PGD(steps=20)], threat_model, **settings)


def test_more_samples_find_more(noisy):
    assert not noisy.deterministic
    counts = [robust(averaged(noisy, n)).worst_case.sum() for n in (1, 4, 64)]
    assert counts[2] <= counts[0] - 5
    assert counts[2] <= counts[1] <= counts[0] + 1
    labels = np.argmax(IMAGES.reshape(40, 48) @ WEIGHTS, axis=1)
    lost = EPSILON * np.abs(WEIGHTS[:, labels, None] - WEIGHTS[:, None]).sum(axis=0)
    scores = IMAGES.reshape(40, 48) @ WEIGHTS
    leads = scores[np.arange(40), labels][:, None] - scores - lost
    leads[np.arange(40), labels] = np.inf
    # Nothing can take more than a linear model has to lose, but for the noise on top.
    assert counts[2] >= np.sum(leads.min(axis=1) > 0.1)


def test_the_mean_is_of_separate_passes(noisy):
    four = averaged(noisy, 4)
    one_pass, mean = (
        np.stack([np.array(c.logits(IMAGES[:8])) for _ in range(30)]).std(axis=0).mean()
        for c in (noisy, four)
    )
    assert mean / one_pass == pytest.approx(0.5, abs=0.1)
    expected = IMAGES.reshape(40, 48) @ WEIGHTS
    np.testing.assert_allclose(averaged(noisy, 200).logits(IMAGES), expected, atol=0.02)


def test_gradients_are_means_too(noisy):
    def spread(classifier):
        images, gradients = tf.constant(IMAGES[:1]), []
        for _ in range(12):
            with tf.GradientTape() as tape:
                tape.watch(images)
                first = classifier.logits(images)[:, 0]
            gradients.append(tape.gradient(first, images).numpy().ravel())
        return np.std(gradients, axis=0).mean()

    assert spread(averaged(noisy, 25)) == pytest.approx(spread(noisy) / 5.0, rel=0.35)
    assert averaged(noisy, 2).gradient_error is None


def test_the_temperature_may_be_known_too(noisy):
    cold = averaged(noisy, 8).at_temperature(4.0)
    expected = IMAGES.reshape(40, 48) @ WEIGHTS / 4.0
    np.testing.assert_allclose(cold.logits(IMAGES), expected, atol=0.03)
    assert cold.passes == 8


def test_counts_are_in_passes_of_the_model(noisy):
    (result,) = robust(averaged(noisy, 3)).attacks
    counted = in_passes(result, averaged(noisy, 3))
    assert counted.gradient_evaluations == 3 * result.gradient_evaluations > 0
    assert counted.forward_evaluations == 3 * result.forward_evaluations > 0
    assert in_passes(result, noisy) == dataclasses.replace(result)


def test_the_audit_asks_for_steady_classes_of_a_mean(noisy):
    one, few, many = (
        forward_checks.repeatable_answers(averaged(noisy, n), IMAGES, 40) for n in (1, 2, 400)
    )
    assert not one.passed and "--expectation_samples" in one.message
    assert many.passed and many.evidence["passes"] == 400 and "steady" in many.message
    assert few.evidence["changed_classes"] >= many.evidence["changed_classes"] == 0.0
    check = forward_checks.batch_independence(averaged(noisy, 2), IMAGES, 40)
    assert check.passed is None and check.message.startswith("Not checked")


def test_a_deterministic_model_is_left_alone():
    model = linear(3)
    model.deterministic = True
    assert averaged(model, 20) is model
    assert averaged(model, 1) is model
    with pytest.raises(ValueError, match="`samples` must be a whole number of at least 1"):
        averaged(model, 0)

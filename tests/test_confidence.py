"""The confidence that a loaded model is served with, whatever file it came from."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import models, serving
from robust_keras.serving.confidence import ConfidenceRule

IMAGES = np.random.default_rng(0).uniform(size=(40, 8, 8, 1)).astype("float32")


def network(**settings):
    keras.utils.set_random_seed(5)
    return models.build("fc5", image_shape=(8, 8, 1), num_classes=3, **settings)


@pytest.mark.parametrize(
    ("activation", "temperature", "kind"),
    [("relu", 1.0, "softmax"), ("relu", 0.05, "softmax"), ("relu", 20.0, "softmax"),
     ("mrelu", 1.0, "rbf")],
)  # fmt: skip
def test_an_export_tells_its_confidence(tmp_path, activation, temperature, kind):
    served = serving.export(
        network(activation=activation), tmp_path, temperature=temperature, confidence=kind
    )
    answers = tf.saved_model.load(str(served)).signatures["serving_default"](images=IMAGES)
    loaded = serving.load(served)
    for attacker in (1.0, 50.0):
        classifier = loaded.at_temperature(attacker).unscaled
        rule = classifier.confidence
        assert rule.kind == kind
        assert rule.temperature == pytest.approx(temperature, rel=1e-3)
        found = np.exp(rule.logarithms(classifier.logits(IMAGES))).max(axis=1)
        np.testing.assert_allclose(found, answers["confidence"], atol=2e-3)


def test_a_keras_file_tells_what_its_rejection_rule_says():
    settings = {"rejection_threshold": 0.5, "temperature": 3.0}
    rule = serving.from_keras(network(activation="relu", **settings)).confidence
    assert rule == ConfidenceRule("softmax", 3.0)
    rule = serving.from_keras(network(activation="rbf", **settings)).confidence
    assert (rule.kind, serving.from_keras(network()).confidence) == ("rbf", ConfidenceRule())


def test_a_stranger_s_probabilities_are_its_confidence(tmp_path):
    model = keras.Sequential([network(), keras.layers.Softmax()])
    model.export(tmp_path / "stranger", verbose=False)
    classifier = serving.load(tmp_path / "stranger")
    found = np.exp(classifier.confidence.logarithms(classifier.logits(IMAGES)))
    np.testing.assert_allclose(found, model(IMAGES), atol=1e-5)

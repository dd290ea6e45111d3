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


REJECTION = {"nonsense_classes": 1, "rejection_threshold": 0.4}


@pytest.mark.parametrize(
    ("activation", "temperature", "kind", "rejection"),
    [("relu", 1.0, "softmax", REJECTION), ("relu", 20.0, "softmax", {}),
     ("rbf", 1.0, "rbf", {}), ("mrelu", 20.0, "rbf", REJECTION)],
)  # fmt: skip
def test_both_files_of_a_model_are_as_sure_and_reject_the_same(
    tmp_path, activation, temperature, kind, rejection
):
    model = network(activation=activation, temperature=temperature, **rejection)
    model.save(tmp_path / "model.keras")
    served = serving.export(keras.models.load_model(tmp_path / "model.keras"), tmp_path)
    answers = tf.saved_model.load(str(served)).signatures["serving_default"](images=IMAGES)
    for path in (served, tmp_path / "model.keras"):
        loaded = serving.load(path)
        classifier = loaded.at_temperature(50.0).unscaled
        assert not loaded.notes
        assert (classifier.confidence.kind, classifier.nonsense_classes) == (
            kind, rejection.get("nonsense_classes", 0),
        )  # fmt: skip
        found = np.exp(classifier.confidence.logarithms(classifier.logits(IMAGES))).max(axis=1)
        np.testing.assert_allclose(found, answers["confidence"], atol=1e-6)
        if rejection:
            rejected = classifier.rejection.rejected(tf.constant(IMAGES))
            np.testing.assert_array_equal(rejected, answers["rejected"])
        else:
            assert classifier.rejection is None and "rejected" not in answers


def test_what_an_export_is_told_goes_before_what_the_model_says(tmp_path):
    served = serving.export(network(temperature=3.0), tmp_path, temperature=2.0, confidence="rbf")
    assert serving.load(served).confidence == ConfidenceRule("rbf", 2.0)


def test_an_export_that_does_not_tell_its_rule_loads_and_says_so(tmp_path):
    layer = network(temperature=20.0)
    spec = [tf.TensorSpec((None, 8, 8, 1), tf.float32, name="images")]

    def served(images):
        probabilities = tf.nn.softmax(layer(images) / 20.0)
        confidence = tf.reduce_max(probabilities, axis=-1)
        classes = tf.argmax(probabilities, axis=-1)
        return {"probabilities": probabilities, "confidence": confidence, "classes": classes}

    archive = keras.export.ExportArchive()
    archive.track(layer)
    archive.add_endpoint("serving_default", served, input_signature=spec)
    archive.add_endpoint("logits", lambda images: {"logits": layer(images)}, input_signature=spec)
    archive.write_out(str(tmp_path / "old"), verbose=False)
    classifier = serving.load(tmp_path / "old")
    assert classifier.confidence == ConfidenceRule()
    assert "before exports told how" in classifier.notes[-1]


def test_a_stranger_s_probabilities_are_its_confidence(tmp_path):
    model = keras.Sequential([network(), keras.layers.Softmax()])
    model.export(tmp_path / "stranger", verbose=False)
    classifier = serving.load(tmp_path / "stranger")
    found = np.exp(classifier.confidence.logarithms(classifier.logits(IMAGES)))
    np.testing.assert_allclose(found, model(IMAGES), atol=1e-5)

"""Ensemble adversarial training: examples from every source, half clean, half adversarial."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_adversarial_training import EPSILON, IMAGES, LABELS, SPLIT, recording_network, softmax
from test_fit import config, network, run

from robust_keras import serving
from robust_keras.errors import InputError
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.source_models import load_source_models


def linear(weights):
    """A network whose logits are (s, -s), s the images' product with the weights."""
    inputs = keras.Input((6, 6, 1), name="images")
    flat = keras.layers.Flatten()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(flat))
    model.set_weights([np.stack([weights, -weights], axis=1).astype("float32")])
    return model


def ensemble(classifier, sources, rate=0.0, **settings):
    settings = AdversarialSettings(method="ensemble", epsilon=EPSILON, **settings)
    model = AdversarialTraining(classifier, settings, source_models=sources)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(rate), loss, jit_compile=False)
    return model


def a_step(weights, attack):
    """One step on `linear(weights)`, in numpy."""
    score = SPLIT.images.reshape(len(SPLIT), -1) @ weights
    # Both attacks push the score to the other side of zero; with two classes they are one.
    towards = -np.sign(score)[:, None] * np.sign(weights)
    moved = SPLIT.images + EPSILON * towards.reshape(SPLIT.images.shape)
    return np.clip(moved, 0.0, 1.0)


@pytest.mark.parametrize("attack", ["step_ll", "fgsm"])
def test_examples_come_from_every_source_and_from_the_model_itself(attack):
    random = np.random.default_rng(0)
    weights = [random.normal(size=36) for _ in range(3)]
    own, *sources = (linear(w) for w in weights)
    model = ensemble(own, [sources[0], sources[1].call], ensemble_attack=attack)
    craft = tf.function(model.craft)
    expected = [a_step(w, attack) for w in weights]
    drawn = []
    for step in range(40):
        crafted = craft(IMAGES, LABELS, seed=tf.constant([0, step])).numpy()
        near = [np.abs(crafted - e).max() < 1e-5 for e in expected]
        assert sum(near) == 1, step
        drawn.append(near.index(True))
    assert set(drawn) == {0, 1, 2}
    assert max(np.bincount(drawn)) < 25


def test_step_ll_goes_to_the_least_likely_class_and_fgsm_away_from_the_predicted_one():
    inputs = keras.Input((1, 1, 3), name="images")
    source = keras.Model(inputs, keras.layers.Flatten()(inputs))  # the logits are the pixels
    own = keras.models.clone_model(source)
    image = tf.constant([[[[0.4, 0.5, 0.6]]]])
    changes = {}
    for attack in ("step_ll", "fgsm"):
        crafted = ensemble(own, [source], ensemble_attack=attack).craft(image, [0])
        changes[attack] = np.round((crafted - image).numpy().ravel() / EPSILON).tolist()
    assert changes == {"step_ll": [1.0, -1.0, -1.0], "fgsm": [1.0, 1.0, -1.0]}


def test_the_loss_is_half_clean_and_half_adversarial_and_sources_stay_as_they_are():
    classifier, recorder = recording_network()
    source = linear(np.linspace(-1, 1, 36))
    before = source.get_weights()
    rate = 0.1
    model = ensemble(classifier, [source], rate)
    assert len(model.trainable_variables) == len(classifier.trainable_variables)
    assert len(model.variables) == len(classifier.variables) + 1  # epsilon
    w, b = (v.numpy() for v in classifier.trainable_variables)
    crafted = model.craft(IMAGES, LABELS).numpy()
    loss = model.train_on_batch(SPLIT.images, SPLIT.labels)
    assert np.abs(crafted - SPLIT.images).max() > 0.1
    losses, gradient, y = [], 0.0, np.eye(2)[SPLIT.labels]
    for x in (SPLIT.images.reshape(48, -1), crafted.reshape(48, -1)):
        p = softmax(x @ w + b)
        losses.append(np.mean(-np.log(np.sum(p * y, axis=1))))
        gradient += x.T @ (p - y) / 48 / 2
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)
    new_w = classifier.trainable_variables[0].numpy()
    np.testing.assert_allclose((w - new_w) / rate, gradient, atol=2e-5)
    np.testing.assert_array_equal(before[0], source.get_weights()[0])


@pytest.mark.parametrize(
    ("method", "sources", "text"),
    [
        ("ensemble", [], "`source_models` must hold at least one trained model"),
        ("ensemble", [lambda x: tf.zeros((len(x), 3))], r"shape \(batch, 2\). Received: one that"),
        ("fast", [lambda x: x], "`source_models` must be left out unless method='ensemble'"),
    ],
    ids=["none", "three classes", "fast"],
)
def test_source_models_that_do_not_fit(method, sources, text):
    settings = AdversarialSettings(method=method, epsilon=0.1)
    with pytest.raises(ValueError, match=text):
        AdversarialTraining(network(), settings, source_models=sources)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    path = tmp_path_factory.mktemp("sources")
    network().save(path / "a.keras")
    serving.export(network(), path / "b")
    keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]).save(
        path / "three.keras"
    )
    return path


def test_a_resumed_run_ends_with_the_weights_of_a_whole_one(tmp_path, sources, monkeypatch):
    changes = {
        "adversarial": "ensemble",
        "train_epsilon": 0.1,
        "source_models": (str(sources / "a.keras"), str(sources / "b")),
        "epochs": 2,
    }
    whole = run(config(tmp_path / "whole", **changes))
    parts = config(tmp_path / "parts", **changes)
    with pytest.raises(KeyboardInterrupt):
        run(parts, interrupt_at=8, monkeypatch=monkeypatch)
    for a, b in zip(whole.get_weights(), run(parts).get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_source_of_other_classes_is_refused(sources):
    with pytest.raises(InputError, match="three.keras: expected a source model of .* 2 classes"):
        load_source_models([sources / "three.keras"], SPLIT, 2)


def test_sources_have_gradients(sources):
    for source in load_source_models([sources / "a.keras", sources / "b"], SPLIT, 2):
        with tf.GradientTape() as tape:
            tape.watch(IMAGES)
            total = tf.reduce_sum(source.logits(IMAGES)[:, 0])
        assert np.abs(tape.gradient(total, IMAGES)).max() > 0

"""apgd_accepted: wrong answers that a rejection rule accepts."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from linear_model import GREYS, answers, linear

from robust_keras import engine, layers, serving
from robust_keras.attacks import APGDCE, APGDAccepted, Quick, ThreatModel
from robust_keras.attacks.acceptance import AcceptedAnswers
from robust_keras.attacks.loops import losses

SHAPE = (3, 4, 1)


def network(confidence="softmax", **rule):
    """A linear model of five classes that ends in a rejection rule."""
    # Steep enough that a few changes of a few tenths make it sure.
    weights = np.random.default_rng(5).normal(0.0, 4.0 if confidence == "softmax" else 1.0, (12, 5))
    images = keras.Input(SHAPE)
    dense = keras.layers.Dense(5, use_bias=False)
    scores = dense(keras.layers.Flatten()(images))
    if confidence == "rbf":
        scores = -keras.ops.square(scores)
    model = keras.Model(images, layers.RejectionRule(confidence=confidence, **rule)(scores))
    dense.set_weights([weights - weights.mean(axis=0)])
    return model


RULES = [
    {"threshold": 0.9},
    {"nonsense_classes": 2},
    {"nonsense_classes": 2, "threshold": 0.6, "temperature": 0.5},
    {"nonsense_classes": 1, "threshold": 0.5, "confidence": "rbf"},
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_last_class_is_ahead_exactly_where_the_rule_rejects(rule):
    classifier = serving.from_keras(network(**rule))
    images = np.random.default_rng(1).uniform(size=(300, *SHAPE)).astype("float32")
    view = AcceptedAnswers(classifier)
    values = view.logits(tf.constant(images)).numpy()
    assert values.shape == (300, view.num_classes) == (300, 6 - rule.get("nonsense_classes", 0))
    rejected = classifier.rejection.rejected(tf.constant(images)).numpy()
    assert 10 < rejected.sum() < 290
    np.testing.assert_array_equal(values.argmax(axis=1) == view.num_classes - 1, rejected)
    logits = classifier.logits(tf.constant(images)).numpy()
    np.testing.assert_array_equal(
        values.argmax(axis=1)[~rejected], logits.argmax(axis=1)[~rejected]
    )


def test_an_attackers_temperature_does_not_move_the_rule():
    classifier = serving.from_keras(network(threshold=0.9))
    scaled = AcceptedAnswers(classifier.at_temperature(7.0))
    plain = AcceptedAnswers(classifier)
    np.testing.assert_allclose(scaled.logits(GREYS), plain.logits(GREYS), rtol=1e-6)


def test_the_margin_counts_no_answer_as_right():
    random = np.random.default_rng(2)
    logits, labels = random.normal(size=(50, 4)).astype("float32"), random.integers(0, 3, 50)
    found = losses.accepted_margin(tf.constant(labels), tf.constant(logits)).numpy()
    for row, label, value in zip(logits, labels, found, strict=True):
        others = [row[k] for k in range(3) if k != label]
        assert value == pytest.approx(max(others) - max(row[label], row[3]), abs=1e-6)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_it_finds_accepted_errors_where_others_stop_at_rejected_ones(rule, norm):
    classifier = serving.from_keras(network(**rule))
    threat_model = ThreatModel(norm, ({"linf": 0.25, "l2": 0.8}[norm],))
    images = np.random.default_rng(3).uniform(size=(60, *SHAPE)).astype("float32")
    labels = np.argmax(classifier.logits(images), axis=1)
    attacks = [APGDCE(steps=50), APGDAccepted(steps=50)]
    plain, aimed = engine.evaluate(
        classifier, images, labels, attacks, threat_model, batch_size=60, seed=0
    ).attacks
    left = plain.robust_with_rejection.sum(), aimed.robust_with_rejection.sum()
    assert left[1] < left[0] - 3, "it goes on where the other has stopped"


def test_a_cascade_aims_at_the_rule_where_there_is_one():
    images = np.random.default_rng(3).uniform(size=(40, *SHAPE)).astype("float32")
    attack = Quick(steps=10, targets=2, queries=10)
    for model, aims in ((network(threshold=0.9), True), (linear(5), False)):
        classifier = serving.from_keras(model) if aims else model
        labels = np.argmax(classifier.logits(images), axis=1)
        found = engine.evaluate(
            classifier,
            images,
            labels,
            [attack],
            ThreatModel("linf", (0.25,)),
            batch_size=40,
            seed=0,
        ).attacks[0]
        assert found.aims_at_rule == aims
        assert ("apgd_accepted" in [stage.name for stage in found.stages]) == aims


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_without_a_rule_it_is_an_attack_on_the_margin(norm):
    model, epsilon = linear(4), {"linf": 0.02, "l2": 0.06}[norm]
    robust = model.margins(GREYS, answers(model), epsilon, norm) > 0
    found = engine.evaluate(
        model,
        *(
            GREYS,
            answers(model),
            [APGDAccepted(steps=40, restarts=5)],
            ThreatModel(norm, (epsilon,)),
        ),
        batch_size=60,
        seed=0,
    )
    np.testing.assert_array_equal(found.worst_case[0], robust)
    assert 10 < robust.sum() < 50


def test_a_classifier_that_was_attacked_can_be_freed():
    classifier = serving.from_keras(network(threshold=0.5))
    engine.evaluate(
        classifier,
        *(GREYS, answers(classifier), [APGDAccepted(steps=2)], ThreatModel("linf", (0.01,))),
        batch_size=60,
        seed=0,
    )
    kept = weakref.ref(classifier)
    del classifier
    gc.collect()
    assert kept() is None

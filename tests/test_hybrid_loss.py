"""The hybrid loss against its formula, label smoothing, and accuracy on soft labels."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras.training.hybrid_loss import HYBRID_CIFAR10, HYBRID_MNIST, HybridLoss
from robust_keras.training.losses import LabelAccuracy, TemperatureCrossEntropy

LOGITS = -np.random.default_rng(0).gamma(1.0, 1.0, (30, 5)).astype("float32")
LABELS = np.arange(30) % 5
SETTINGS = {
    "mnist": HYBRID_MNIST,
    "cifar10": HYBRID_CIFAR10,
    "all": {"relative": 0.5, "absolute": 2.0, "others": 0.3, "power": 3.0},
}


def reference(logits, labels, relative, absolute, others, power):
    y = np.exp(logits.astype(np.float64))
    own = y[np.arange(len(y)), labels]
    rest = (y**power).sum(axis=1) - own**power
    return relative * np.log(y.sum(axis=1) / own) + absolute * (1 - own) ** power + others * rest


def values(loss, labels, logits):
    return loss(labels, tf.constant(logits)).numpy()


def test_hybrid_loss_by_hand():
    loss = HybridLoss(1.0, 1.0, 1.0 / 9.0, 2.0, reduction=None)
    logits = np.log([[0.9, 0.2, 0.1]]).astype("float32")
    np.testing.assert_allclose(values(loss, np.array([0]), logits), 0.30324, atol=1e-5)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_hybrid_loss_is_its_formula(settings):
    found = values(HybridLoss(**settings, reduction=None), LABELS, LOGITS)
    np.testing.assert_allclose(found, reference(LOGITS, LABELS, **settings), rtol=1e-5)
    column = values(HybridLoss(**settings, reduction=None), LABELS[:, None], LOGITS)
    np.testing.assert_array_equal(found, column)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_hybrid_loss_has_the_gradient_of_its_formula(settings):
    logits = tf.Variable(LOGITS)
    with tf.GradientTape() as tape:
        loss = HybridLoss(**settings, reduction="sum")(LABELS, logits)
    gradient = tape.gradient(loss, logits).numpy()
    for row, column in ((0, 0), (0, 3), (7, 2), (11, 4)):
        step = np.zeros(LOGITS.shape)
        step[row, column] = 1e-5
        above = reference(LOGITS + step, LABELS, **settings).sum()
        below = reference(LOGITS - step, LABELS, **settings).sum()
        assert gradient[row, column] == pytest.approx((above - below) / 2e-5, abs=2e-4)


def test_hybrid_loss_still_pulls_where_the_answer_underflows():
    z = tf.Variable([[30.0, 1.0]])
    with tf.GradientTape() as tape:
        loss = HybridLoss(**HYBRID_MNIST)(np.array([0]), -tf.square(z))
    gradient = tape.gradient(loss, z).numpy()
    assert np.isfinite(gradient).all()
    assert gradient[0, 0] == pytest.approx(60.0, rel=1e-4)


def test_hybrid_loss_round_trip_and_errors():
    loss = keras.losses.deserialize(keras.losses.serialize(HybridLoss(**HYBRID_CIFAR10)))
    assert (loss.relative, loss.absolute, loss.others, loss.power) == (1.0, 1.0, 1.0 / 9.0, 2.0)
    with pytest.raises(ValueError, match="`power` must be at least 1. Received: power=0.5"):
        HybridLoss(power=0.5)
    with pytest.raises(ValueError, match="must be above 0. Received: 0 for all three"):
        HybridLoss(0.0, 0.0, 0.0)


@pytest.mark.parametrize("temperature", [1.0, 20.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_soft_and_smoothed_labels(temperature, smoothing):
    soft = np.random.default_rng(1).dirichlet(np.ones(5), 30).astype("float32")
    scaled = LOGITS.astype(np.float64) / temperature
    logs = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    loss = TemperatureCrossEntropy(temperature, smoothing, reduction=None)
    for labels, target in ((soft, soft), (LABELS, np.eye(5)[LABELS])):
        expected = -(((1 - smoothing) * target + smoothing / 5) * logs).sum(axis=1)
        np.testing.assert_allclose(values(loss, labels, LOGITS), expected, rtol=1e-5)
    assert keras.losses.deserialize(keras.losses.serialize(loss)).label_smoothing == smoothing
    with pytest.raises(ValueError, match="`label_smoothing` must be in"):
        TemperatureCrossEntropy(label_smoothing=1.0)


def test_accuracy_takes_both_kinds_of_labels():
    metric = LabelAccuracy()
    metric.update_state(LABELS, LOGITS)
    hard = float(metric.result())
    assert hard == pytest.approx(np.mean(LOGITS.argmax(axis=1) == LABELS))
    metric.reset_state()
    metric.update_state(np.eye(5, dtype="float32")[LABELS] * 0.6 + 0.1, LOGITS)
    assert float(metric.result()) == pytest.approx(hard)
    assert keras.metrics.deserialize(keras.metrics.serialize(metric)).name == "accuracy"

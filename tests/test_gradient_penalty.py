"""The gradient penalty: its value and gradient by hand, beside crafting, in half precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_adversarial_training import recording_network, softmax
from test_fit import config, images, network, run

from robust_keras.settings.config import TrainConfig
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.penalised_training import PenalisedTraining

WEIGHT, RATE = 3.0, 0.1
SPLIT = images(48)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def compiled(model, loss=LOSS, rate=RATE):
    model.compile(keras.optimizers.SGD(rate), loss, jit_compile=False)
    return model


def by_hand(x, w, b, weights):
    """Loss with penalty of a linear classifier, and its gradients by kernel and bias."""
    x, y = x.reshape(len(x), -1), np.eye(2)[SPLIT.labels]
    p = softmax(x @ w + b)
    slopes = (p - y) @ w.T  # of the cross-entropy by the image
    loss = np.mean(weights * (-np.log(np.sum(p * y, 1)) + WEIGHT * np.sum(slopes**2, 1)))
    # The squared length is |w r|^2 with r = p - y: by w as it stands, and by the logits in p.
    by_r = 2 * slopes @ w
    by_logits = p * (by_r - np.sum(p * by_r, 1, keepdims=True))
    share = weights[:, None] / len(x)
    of_w = WEIGHT * (x.T @ (share * by_logits) + 2 * (share * slopes).T @ (p - y))
    of_b = WEIGHT * np.sum(share * by_logits, 0)
    return loss, of_w + x.T @ (share * (p - y)), of_b + np.sum(share * (p - y), 0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("softmax_head", [False, True])
def test_loss_and_gradient_are_those_of_a_numpy_reference(weighted, softmax_head):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 1))
    head = keras.layers.Dense(2, activation="softmax" if softmax_head else None)
    classifier = keras.Model(inputs, head(keras.layers.Flatten()(inputs)))
    loss = "sparse_categorical_crossentropy" if softmax_head else LOSS
    model = compiled(PenalisedTraining(classifier, gradient_penalty=WEIGHT), loss)
    before = classifier.get_weights()
    weights = np.linspace(0.5, 1.5, 48) if weighted else np.ones(48)
    given = {"sample_weight": weights} if weighted else {}
    found = model.train_on_batch(SPLIT.images, SPLIT.labels, **given)
    expected, of_w, of_b = by_hand(SPLIT.images, *before, weights)
    assert np.ravel(found)[0] == pytest.approx(expected, rel=1e-5)
    after = classifier.get_weights()
    np.testing.assert_allclose((before[0] - after[0]) / RATE, of_w, atol=2e-5)
    np.testing.assert_allclose((before[1] - after[1]) / RATE, of_b, atol=2e-5)
    plain = -np.mean(
        np.log(
            softmax(SPLIT.images.reshape(48, -1) @ after[0] + after[1])[np.arange(48), SPLIT.labels]
        )
    )
    judged = model.evaluate(SPLIT.images, SPLIT.labels, verbose=0)
    assert np.ravel(judged)[0] == pytest.approx(plain, rel=1e-5)  # without the penalty


def test_beside_a_method_it_is_that_of_the_images_that_are_trained_on():
    classifier, recorder = recording_network()
    settings = AdversarialSettings(method="fast", epsilon=0.2)
    model = compiled(AdversarialTraining(classifier, settings, gradient_penalty=WEIGHT))
    w, b = (v.numpy() for v in classifier.trainable_variables)
    found = model.train_on_batch(SPLIT.images, SPLIT.labels)
    moved = recorder.last.numpy()
    assert np.abs(moved - SPLIT.images).max() > 0.1
    expected, of_w, _ = by_hand(moved, w, b, np.ones(48))
    assert np.ravel(found)[0] == pytest.approx(expected, rel=1e-5)
    new_w = classifier.trainable_variables[0].numpy()
    np.testing.assert_allclose((w - new_w) / RATE, of_w, atol=2e-5)


def test_pixels_are_those_of_0_to_1_whatever_the_classifier_takes():
    keras.utils.set_random_seed(0)
    unit = network()
    scaled = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Rescaling(1 / 255), unit])
    losses = [
        model.compute_loss(x, SPLIT.labels, model(x, training=False), training=True)
        for model, x in (
            (compiled(PenalisedTraining(unit, gradient_penalty=WEIGHT)), SPLIT.images),
            (
                compiled(PenalisedTraining(scaled, gradient_penalty=WEIGHT, pixel_range=(0, 255))),
                SPLIT.images * 255,
            ),
        )
    ]
    assert float(losses[1]) == pytest.approx(float(losses[0]), rel=1e-4)


def test_half_precision_has_the_penalty_of_single_precision():
    losses = []
    for policy in ("float32", "mixed_float16"):
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        try:
            model = compiled(PenalisedTraining(network(), gradient_penalty=1e3))
        finally:
            keras.config.set_dtype_policy("float32")
        x = tf.constant(SPLIT.images)
        outputs = model(x, training=False)
        losses.append(float(model.compute_loss(x, SPLIT.labels, outputs, training=True)))
        before = model.get_weights()
        model.fit(SPLIT.images, SPLIT.labels, batch_size=16, verbose=0)
        assert any(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))
        assert all(np.isfinite(a).all() for a in model.get_weights())
    assert losses[0] > 1 and losses[1] == pytest.approx(losses[0], rel=0.02)


def slope(model):
    x = tf.constant(SPLIT.images)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = 48 * LOSS(SPLIT.labels, model(x, training=False))
    return float(tf.reduce_mean(tape.gradient(loss, x) ** 2))


def test_the_flag_trains_a_network_with_smaller_slopes(tmp_path):
    plain = run(config(tmp_path / "plain"))
    penalised = run(config(tmp_path / "penalised", gradient_penalty=30.0))
    assert slope(penalised) < 0.5 * slope(plain)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), "1", 1e7])
def test_weights_that_are_none_are_refused(weight):
    with pytest.raises(ValueError, match=r"`gradient_penalty` must be in \[0, 1e6\]. Received"):
        PenalisedTraining(network(), gradient_penalty=weight)
    with pytest.raises(ValueError, match="--gradient_penalty: expected"):
        TrainConfig(gradient_penalty=weight)

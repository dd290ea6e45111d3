"""--adversarial=ibp: a network trained on its bounds is proved where a plain one is not."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_classifier import digits, network

from robust_keras import layers
from robust_keras.bounds import certify
from robust_keras.bounds.kernel_extremes import kernel_extremes
from robust_keras.errors import InputError
from robust_keras.inside.steepest import steepest
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining

K = keras.layers


def kernel_network(classes=10):
    keras.utils.set_random_seed(0)
    shape = keras.Input((14, 14, 1))
    convolution = K.Conv2D(6, 4, strides=2, use_bias=False)
    middle = [convolution, K.BatchNormalization(momentum=0.8), layers.KernelActivation()]
    return keras.Sequential([shape, *middle, K.Flatten(), K.Dense(classes)])


def trained(model, images, labels, epochs=6, **settings):
    settings = {"method": "ibp", "epsilon": 0.05, "epsilon_ramp_epochs": 2, **settings}
    training = AdversarialTraining(model, AdversarialSettings(**settings))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    training.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    training.fit(images, labels, epochs=epochs, batch_size=100, verbose=0)
    return model


def test_a_kernel_network_learns_to_be_proved():
    images, labels = (values[::5] for values in digits())
    trained(model := kernel_network(), images, labels, epochs=5, steps=1)
    proved = {}
    for name, each in {"plain": network(), "ibp": model}.items():
        right = np.asarray(each(images[:200])).argmax(1) == labels[:200]
        proved[name] = certify(each, images[:200], labels[:200], 0.05, method="intervals")
        assert right.mean() > 0.8 and np.all(right[proved[name]])
    assert proved["ibp"].mean() > proved["plain"].mean() + 0.3


def test_extremes_of_kernel_activations_are_where_a_search_finds_them():
    layer, rng = layers.KernelActivation(), np.random.default_rng(0)
    layer.build((None, 3))
    layer.mixing_coefficients.assign(rng.normal(size=(3, 20)))
    middle, radius = rng.normal(scale=4.0, size=(2, 300, 3))
    lower, upper = (middle + side * np.abs(radius) for side in (-1.0, 1.0))
    ends = [tf.constant(side, tf.float32) for side in (lower, upper)]
    shares = np.linspace(0.0, 1.0, 400)[:, None, None]
    search = np.asarray(layer(lower + shares * (upper - lower)))
    for places, best in zip(kernel_extremes(layer, *ends), (np.minimum, np.maximum), strict=True):
        assert np.all((places >= ends[0]) & (places <= ends[1]))
        heights = [np.asarray(layer(x)) for x in (places, *ends)]
        np.testing.assert_allclose(best.reduce(heights), best.reduce(search), atol=0.05)


@pytest.mark.parametrize("bandwidth", ("paper", 0.7))
def test_limited_slopes_are_within_the_limit_and_close_to_it(bandwidth):
    limit = layers.SlopeLimit(0.5, bandwidth=bandwidth)
    limit = keras.constraints.get(keras.constraints.serialize(limit))
    start = np.random.default_rng(0).normal(size=(6, 20)).astype("float32")
    start[0] *= 0.01
    limited = np.asarray(limit(start))
    np.testing.assert_array_equal(limited[0], start[0])
    for row in limited[1:]:
        layer = layers.KernelActivation(bandwidth=bandwidth)
        layer.build((None, 1))
        layer.mixing_coefficients.assign(row[None])
        assert 0.49 < steepest(layer) <= 0.5 * (1.0 + 1e-5)


def test_noise_for_smoothing_is_gaussian_and_not_cut_off():
    images, labels = np.zeros((50, 14, 14, 1), "float32"), np.zeros(50, int)
    settings = AdversarialSettings(method="gaussian", epsilon=0.25)
    training = AdversarialTraining(kernel_network(), settings)
    training.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    noise = training.craft(images, labels, seed=(0, 1)).numpy()
    assert noise.std() == pytest.approx(0.25, rel=0.03) and abs(noise.mean()) < 0.01
    assert np.mean(np.abs(noise) > 0.5) == pytest.approx(0.0455, abs=0.01)
    assert np.any(noise != training.craft(images, labels, seed=(0, 2)).numpy())


@pytest.mark.parametrize(
    ("model", "loss", "text"),
    [
        (
            lambda: keras.Sequential(
                [keras.Input((14, 14, 1)), K.Flatten(), K.Dense(10, "selu", name="odd")]
            ),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "layer 'odd'",
        ),
        (
            lambda: kernel_network(1),
            keras.losses.BinaryCrossentropy(from_logits=True),
            "one logit a class",
        ),
    ],
    ids=("activation", "one logit"),
)
def test_what_has_no_bounds_is_refused_before_training(model, loss, text):
    settings = AdversarialSettings(method="ibp", epsilon=0.1)
    training = AdversarialTraining(model(), settings)
    with pytest.raises(InputError, match=text):
        training.compile("adam", loss)


def test_a_weight_is_a_share():
    with pytest.raises(ValueError, match="bound_weight"):
        AdversarialSettings(method="ibp", epsilon=0.1, bound_weight=1.5)

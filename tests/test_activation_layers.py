"""The other activation layers: exactness against float64, and what their arguments may be."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers
from robust_keras.layers import k_winners_take_all, selection

MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}


def smooth_relu(x, beta):
    positive = tf.maximum(x, 0.0)
    return positive - tf.math.log(beta * positive + 1.0) / beta


def softplus(x, sharpness):
    return tf.maximum(x, 0.0) + tf.math.log1p(tf.exp(-sharpness * tf.abs(x))) / sharpness


# Name -> (layer, function of the inputs and, if it trains one, of its parameter).
FUNCTIONS = {
    "mrelu": (lambda: layers.SymmetricActivation(kind="mrelu"), lambda x: tf.nn.relu(1 - abs(x))),
    "rbf": (lambda: layers.SymmetricActivation(kind="rbf"), lambda x: tf.exp(-(x**2))),
    "smooth_relu": (lambda: layers.SmoothReLU(), smooth_relu),
    "blunt_smooth_relu": (lambda: layers.SmoothReLU(beta=3.0), smooth_relu),
    "softplus": (lambda: layers.ParametricSoftplus(trainable_sharpness=True), softplus),
    "blunt_softplus": (
        lambda: layers.ParametricSoftplus(sharpness=0.5, trainable_sharpness=True),
        softplus,
    ),
}


def derivatives(function, inputs, roots, upstream):
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch([inputs, *roots])
            outputs = function(inputs)
        gradients = inner.gradient(outputs, [inputs, *roots], upstream)
        total = tf.reduce_sum(tf.sin(gradients[0]))
    return [outputs, *gradients, outer.gradient(total, inputs)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_outputs_and_gradients_are_exact(name, mode):
    factory, function = FUNCTIONS[name]
    random = np.random.default_rng(0)
    parts = [random.uniform(-100, 100, 500), random.uniform(-3, 3, 1500), [-100.0, 100.0]]
    inputs = np.concatenate(parts).astype(np.float32).reshape(2, -1, 7)
    upstream = random.standard_normal(inputs.shape).astype(np.float32)
    layer = factory()
    layer.build(inputs.shape)
    roots = [weight.value for weight in layer.trainable_weights]
    doubles = [tf.constant(root.numpy(), tf.float64) for root in roots]
    expected = derivatives(
        lambda x: function(x, *(root**2 for root in doubles)),
        tf.constant(inputs, tf.float64),
        doubles,
        tf.constant(upstream, tf.float64),
    )
    found = MODES[mode](lambda x: derivatives(layer, x, roots, tf.constant(upstream)))(
        tf.constant(inputs)
    )
    # The piecewise linear one has no second derivative: both sides say so.
    pairs = [pair for pair in zip(found, expected, strict=True) if pair[1] is not None]
    assert len(pairs) >= 2
    for value, truth in pairs:
        error = np.abs(value.numpy() - truth.numpy()).max()
        assert error <= 1e-5 * max(np.abs(truth.numpy()).max(), 1e-30)


VALUES = {
    "normal": lambda random: random.standard_normal((5, 700, 1)),
    "tiny": lambda random: 1e-40 * random.standard_normal((4, 300, 3)),
    "huge": lambda random: 1e30 * random.standard_normal((2, 50, 1)),
    "negative": lambda random: -np.abs(random.standard_normal((3, 64, 2))),
    "ties": lambda random: np.round(random.standard_normal((3, 100, 2))),
    "equal": lambda random: np.zeros((2, 9, 1)),
    "one": lambda random: random.standard_normal((2, 1, 1)),
    "two": lambda random: random.standard_normal((2, 2, 3)),
    "infinite": lambda random: np.where(random.random((2, 30, 1)) < 0.2, np.inf, -1.0),
}


@functools.cache
def of_any_size(channels, dtype):
    """The selection where the number of entries is unknown, as for images of any size."""
    unknown = [tf.TensorSpec((None, None, channels), dtype), tf.TensorSpec((), tf.int32)]
    return tf.function(selection.kth_largest, input_signature=unknown)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", VALUES)
def test_selection_is_exact(name, dtype):
    values = VALUES[name](np.random.default_rng(0)).astype(dtype)
    entries = values.shape[1]
    ranked = np.sort(values, axis=1)[:, ::-1]
    forms = selection.kth_largest, of_any_size(values.shape[2], dtype)
    for count in sorted({1, max(entries // 3, 1), entries}):
        for form in forms:
            found = form(tf.constant(values), tf.constant(count)).numpy()
            np.testing.assert_array_equal(found, ranked[:, count - 1 : count])


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("ratio", [0.01, 0.2, 0.57, 1.0])
def test_k_winners_pass_and_their_gradients_alone(ratio, per_channel):
    inputs = np.random.default_rng(0).standard_normal((3, 5, 5, 4)).astype(np.float32)
    layer = layers.KWinnersTakeAll(ratio=ratio, per_channel=per_channel)
    images = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = layer(images)
    gradient = tape.gradient(outputs, images, 2.0 * images).numpy()
    volumes = inputs.reshape(3, 25, 4) if per_channel else inputs.reshape(3, 100, 1)
    count = max(int(ratio * volumes.shape[1]), 1)
    threshold = np.sort(volumes, axis=1)[:, -count][:, None]
    winners = (volumes >= threshold).reshape(inputs.shape)
    assert winners.sum() == 3 * count * volumes.shape[2]
    np.testing.assert_array_equal(outputs, inputs * winners)
    np.testing.assert_array_equal(gradient, 2 * inputs * winners)
    np.testing.assert_allclose(layer(3.0 * images), 3.0 * outputs, rtol=1e-6)


def test_the_ratio_is_lowered_while_training_and_kept_in_the_file(tmp_path):
    inner = keras.Sequential([keras.Input((6,)), layers.KWinnersTakeAll(ratio=0.5)])
    model = keras.Sequential([keras.Input((6,)), inner, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    seen = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(inner.layers[0].ratio)
    )
    lower = k_winners_take_all.LowerRatio(step=0.1, every=2, least=0.25)
    data = np.ones((4, 6), np.float32), np.ones((4, 1), np.float32)
    model.fit(*data, epochs=6, verbose=0, callbacks=[lower, record])
    np.testing.assert_allclose(seen, [0.5, 0.4, 0.4, 0.3, 0.3, 0.25])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].layers[0].ratio == 0.25


@pytest.mark.parametrize("temperature", [0.5, 1.0, 100.0])
def test_temperature_softmax(temperature):
    logits = np.random.default_rng(0).uniform(-100, 100, (20, 5))
    expected = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    expected /= expected.sum(axis=1, keepdims=True)
    found = layers.TemperatureSoftmax(temperature=temperature)(logits.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-5)


BAD = [
    (layers.KWinnersTakeAll, {"ratio": 0}),
    (layers.KWinnersTakeAll, {"ratio": 1.1}),
    (layers.KWinnersTakeAll, {"ratio": "many"}),
    (layers.KWinnersTakeAll, {"per_channel": "yes"}),
    (layers.TemperatureSoftmax, {"temperature": -1}),
    (layers.TemperatureSoftmax, {"temperature": float("inf")}),
    (layers.SymmetricActivation, {"kind": "relu"}),
    (layers.SmoothReLU, {"beta": 0.0}),
    (layers.ParametricSoftplus, {"sharpness": -2.0}),
    (layers.ParametricSoftplus, {"trainable_sharpness": None}),
    (k_winners_take_all.LowerRatio, {"step": 0.0}),
    (k_winners_take_all.LowerRatio, {"every": 0}),
    (k_winners_take_all.LowerRatio, {"least": 0.0}),
]


@pytest.mark.parametrize(("factory", "arguments"), BAD)
def test_bad_arguments_say_what_was_expected(factory, arguments):
    (named,) = arguments
    with pytest.raises(ValueError, match=f"`{named}` must be .* Received: {named}="):
        factory(**arguments)


def test_a_ratio_set_later_is_checked_too():
    layer = layers.KWinnersTakeAll(ratio=0.5)
    with pytest.raises(ValueError, match="`ratio` must be in"):
        layer.ratio = 2.0
    assert layer.ratio == 0.5

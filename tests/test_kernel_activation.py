"""KernelActivation: exactness against float64, initialisation, and what its arguments may be."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers
from robust_keras.layers import gaussian_curve, gaussian_kernels

CHANNELS = 3
MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}
FORMS = {
    "default": {},
    "random": {"initializer": "random_normal"},
    "reference": {"bandwidth": "reference", "boundary": 3.0},
    "many": {"dictionary_size": 100, "boundary": 4.0},
    "two": {"dictionary_size": 2, "initializer": "random_normal"},
    "narrow": {"bandwidth": 30.0, "initializer": "random_normal"},
    "wide": {"bandwidth": 0.02, "initializer": "random_normal"},
    "softplus": {"kernel": "softplus", "dictionary_size": 8},
    "moving": {"trainable_dictionary": True, "trainable_bandwidth": True},
    "moving_random": {
        "trainable_dictionary": True,
        "trainable_bandwidth": True,
        "initializer": "random_normal",
    },
    "moving_few": {"trainable_dictionary": True, "trainable_bandwidth": True},
}
# Where an image has few values a channel, trained dictionaries are summed without tables.
SHAPES = {"moving_few": (None, 4, 8, CHANNELS)}


def inputs():
    """Inputs from -100 to 100, most of them where the kernels are."""
    random = np.random.default_rng(0)
    parts = [
        random.uniform(-100, 100, (300, CHANNELS)),
        random.uniform(-8, 8, (3000, CHANNELS)),
        [[-100.0] * CHANNELS, [0.0] * CHANNELS, [100.0] * CHANNELS],
    ]
    return np.concatenate(parts).astype(np.float32)


def layer_of(form):
    keras.utils.set_random_seed(0)
    layer = layers.KernelActivation(**FORMS[form])
    layer.build(SHAPES.get(form, (None, None, CHANNELS)))
    if form.startswith("moving"):
        # Apart from the grid, and different from channel to channel.
        random = np.random.default_rng(1)
        layer.dictionary.assign_add(0.02 * random.standard_normal(layer.dictionary.shape))
        layer.log_bandwidth.assign_add(0.02 * random.standard_normal(CHANNELS))
    return layer


def derivatives(function, rows, parameters, upstream):
    """Outputs, first gradients, and the gradients of those with respect to inputs."""
    with tf.GradientTape() as outer:
        outer.watch([rows, *parameters])
        with tf.GradientTape() as inner:
            inner.watch([rows, *parameters])
            outputs = function(rows)
        gradients = inner.gradient(outputs, [rows, *parameters], upstream)
        total = tf.reduce_sum(gradients[0] ** 2)
    second = outer.gradient(total, [rows, *parameters])
    return [outputs, *gradients, *(part for part in second if part is not None)]


def reference(layer, rows, upstream):
    """The published sum in float64, differentiated by TensorFlow."""
    rows, upstream = tf.constant(rows, tf.float64), tf.constant(upstream, tf.float64)
    parameters = [tf.constant(w.numpy(), tf.float64) for w in layer.trainable_weights]
    names = [weight.name for weight in layer.trainable_weights]

    def total(rows):
        known = dict(zip(names, parameters, strict=True))
        dictionary = known.get("dictionary", tf.constant(layer.grid)[None])
        start = tf.math.log(tf.constant(layer.initial_bandwidth, tf.float64))[None]
        bandwidth = tf.exp(known.get("log_bandwidth", start))[:, None]
        difference = rows[:, :, None] - dictionary
        if layer.kernel == "softplus":
            kernels = tf.math.softplus(difference)
        else:
            kernels = tf.exp(-bandwidth * difference**2)
        return tf.reduce_sum(known["mixing_coefficients"] * kernels, axis=-1)

    return derivatives(total, rows, parameters, upstream)


@functools.cache
def expectation(form):
    """Upstream gradients, and what they and the inputs come to."""
    upstream = np.random.default_rng(2).standard_normal(inputs().shape).astype(np.float32)
    return upstream, reference(layer_of(form), inputs(), upstream)


# One of each way to compute in every mode; what else differs are numbers.
@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *((form, "graph") for form in FORMS),
        *((form, mode) for form in ("default", "softplus", "moving") for mode in ("eager", "xla")),
        ("moving_few", "eager"),
    ],
)
def test_outputs_and_gradients_are_exact(form, mode):
    layer, rows = layer_of(form), inputs()
    upstream, expected = expectation(form)
    parameters = [weight.value for weight in layer.trainable_weights]
    found = MODES[mode](lambda rows: derivatives(layer, rows, parameters, tf.constant(upstream)))(
        tf.constant(rows)
    )
    first = 2 + len(parameters)
    assert len(found) == len(expected) >= first + 1
    for index, (value, truth) in enumerate(zip(found, expected, strict=True)):
        # Second derivatives divide by the bandwidth's root twice more: a digit is lost there.
        tolerance = 1e-5 if index < first else 1e-4
        error = np.abs(value.numpy() - truth.numpy()).max()
        assert error <= tolerance * np.abs(truth.numpy()).max(), (index, error)


@pytest.mark.parametrize("form", ["default", "moving"])
def test_where_there_is_a_gpu_an_operation_that_it_has_is_as_exact(form, monkeypatch):
    monkeypatch.setattr(gaussian_curve, "_has_gpu", lambda: True)
    test_outputs_and_gradients_are_exact(form, "graph")
    layer = layer_of(form)

    @tf.function
    def gradients(rows):
        with tf.GradientTape() as tape:
            outputs = layer(rows)
        return tape.gradient(outputs, [weight.value for weight in layer.trainable_weights])

    made = gradients.get_concrete_function(tf.TensorSpec((8, CHANNELS)))
    functions = [made.graph.as_graph_def(), *made.graph.as_graph_def().library.function]
    text = "".join(map(str, functions))
    assert "UnsortedSegmentSum" in text and "DenseBincount" not in text


@pytest.mark.parametrize("form", ["default", "moving"])
def test_sums_in_order_are_as_exact(form, monkeypatch):
    monkeypatch.setattr(gaussian_curve, "_ordered", True)
    test_outputs_and_gradients_are_exact(form, "graph")


def test_sums_in_order_repeat_with_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(gaussian_curve, "_ordered", True)
    generator = np.random.default_rng(0)
    index = tf.constant(generator.integers(0, 300, 50_003), tf.int32)
    weights = tf.constant(generator.standard_normal(50_003), tf.float32)
    sums = [gaussian_curve._sums_on_cpu(index, weights, 300).numpy() for _ in range(60)]
    assert len({found.tobytes() for found in sums}) == 1
    expected = np.bincount(index, weights, 300)
    np.testing.assert_allclose(sums[0], expected, atol=1e-3)


def test_a_moved_dictionary_far_from_the_grid_is_exact():
    layer = layer_of("moving_random")
    random = np.random.default_rng(3)
    layer.dictionary.assign(random.uniform(-9, 9, layer.dictionary.shape))
    layer.log_bandwidth.assign(random.uniform(-2, 2, CHANNELS))
    rows, upstream = inputs(), np.ones_like(inputs())
    parameters = [weight.value for weight in layer.trainable_weights]
    found = derivatives(layer, tf.constant(rows), parameters, tf.constant(upstream))
    for value, truth in zip(found[:5], reference(layer, rows, upstream)[:5], strict=True):
        error = np.abs(value.numpy() - truth.numpy()).max()
        assert error <= 1e-5 * np.abs(truth.numpy()).max()


def test_the_default_form_is_the_tabulated_one_and_falls_back_where_tables_grow():
    assert isinstance(layer_of("default")._tabulated, gaussian_kernels.FixedKernels)
    assert isinstance(layer_of("moving")._tabulated, gaussian_kernels.MovingKernels)
    assert layer_of("moving_few")._tabulated is None
    narrow = layers.KernelActivation(bandwidth=1e7, initializer="random_normal")
    narrow.build((None, CHANNELS))
    assert narrow._tabulated is None
    at_the_grid = np.repeat(narrow.grid[:, None], CHANNELS, axis=1).astype(np.float32)
    expected = np.sum(
        narrow.mixing_coefficients.numpy()
        * np.exp(-1e7 * (at_the_grid[:, :, None].astype(float) - narrow.grid) ** 2),
        axis=-1,
    )
    np.testing.assert_allclose(narrow(at_the_grid), expected, rtol=1e-4, atol=1e-5)


def test_nan_stays_visible():
    outputs = layer_of("default")(np.array([[0.0, np.nan, 1.0]], np.float32)).numpy()
    assert np.isnan(outputs).tolist() == [[False, True, False]]


@pytest.mark.parametrize(
    ("rule", "bandwidth"), [("paper", 1.6713), ("reference", 1.2535), (2.5, 2.5)]
)
def test_bandwidth_rules(rule, bandwidth):
    layer = layers.KernelActivation(boundary=3.0, bandwidth=rule)
    assert layer.initial_bandwidth == pytest.approx(bandwidth, abs=5e-5)
    assert layer.grid[[0, -1]].tolist() == [-3.0, 3.0]


def scaled_tanh(values):
    return 2.0 * keras.ops.tanh(values)


@pytest.mark.parametrize("initializer", ["elu", "tanh", "silu", "softplus", scaled_tanh])
@pytest.mark.parametrize("boundary", [3.0, 5.0])
def test_ridge_regression_starts_as_the_activation(initializer, boundary):
    layer = layers.KernelActivation(boundary=boundary, initializer=initializer)
    layer.build((None, CHANNELS))
    grid = np.repeat(layer.grid[:, None], CHANNELS, axis=1).astype(np.float32)
    expected = keras.activations.get(initializer)(grid)
    np.testing.assert_allclose(layer(grid), expected, atol=0.02)
    assert np.ptp(layer.mixing_coefficients.numpy(), axis=0).max() == 0


def test_ridge_regression_matches_its_formula():
    layer = layers.KernelActivation(dictionary_size=12, boundary=3.0, ridge=1e-3)
    layer.build((None, 1))
    grid = layer.grid
    kernel = np.exp(-layer.initial_bandwidth * (grid[:, None] - grid[None]) ** 2)
    target = np.where(grid > 0, grid, np.expm1(grid))
    expected = np.linalg.solve(kernel + 1e-3 * np.eye(12), target)
    np.testing.assert_allclose(layer.mixing_coefficients.numpy()[0], expected, rtol=1e-5)


def test_one_hot_coefficients_give_one_kernel_and_channels_do_not_mix():
    layer = layer_of("default")
    mixing = np.zeros(layer.mixing_coefficients.shape)
    mixing[0, 4] = 1.0
    layer.mixing_coefficients.assign(mixing)
    outputs = layer(np.full((1, CHANNELS), layer.grid[4], np.float32)).numpy()
    np.testing.assert_allclose(outputs, [[1.0, 0.0, 0.0]], atol=1e-6)
    assert layer.count_params() == CHANNELS * 20


def test_it_vanishes_far_outside_its_dictionary():
    layer = layer_of("default")
    beyond = layer.boundary + 10 / np.sqrt(layer.initial_bandwidth)
    for sign in (-1, 1):
        assert not np.any(layer(np.full((1, CHANNELS), sign * beyond, np.float32)))


def test_paired_is_the_product_form():
    keras.utils.set_random_seed(0)
    layer = layers.KernelActivation(
        paired=True, dictionary_size=5, boundary=2.0, initializer="random_normal"
    )
    layer.build((None, 6))
    rows = np.random.default_rng(0).uniform(-3, 3, (40, 6))
    first, second = (
        np.exp(-layer.initial_bandwidth * (half[:, :, None] - layer.grid) ** 2)
        for half in np.split(rows, 2, axis=1)
    )
    mixing = layer.mixing_coefficients.numpy().reshape(3, 5, 5)
    expected = np.einsum("ncd,cde,nce->nc", first, mixing, second)
    np.testing.assert_allclose(layer(rows.astype(np.float32)), expected, atol=1e-5)


BAD = [
    ({"dictionary_size": 1}, "dictionary_size"),
    ({"dictionary_size": 2.5}, "dictionary_size"),
    ({"boundary": 0}, "boundary"),
    ({"boundary": float("nan")}, "boundary"),
    ({"kernel": "cosine"}, "kernel"),
    ({"bandwidth": "thesis"}, "bandwidth"),
    ({"bandwidth": -1.0}, "bandwidth"),
    ({"initializer": "nothing_like_it"}, "initializer"),
    ({"initializer": 3}, "initializer"),
    ({"ridge": 0.0}, "ridge"),
    ({"kernel": "relu"}, "initializer"),
    ({"kernel": "softplus", "bandwidth": 1.0}, "bandwidth"),
    ({"kernel": "softplus", "trainable_bandwidth": True}, "trainable_bandwidth"),
    ({"kernel": "softplus", "paired": True}, "kernel"),
    ({"trainable_dictionary": 1}, "trainable_dictionary"),
]


@pytest.mark.parametrize(("arguments", "named"), BAD, ids=[str(case[0]) for case in BAD])
def test_bad_arguments_say_what_was_expected(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}` must be .* Received: {named}="):
        layers.KernelActivation(**arguments)


@pytest.mark.parametrize(
    ("shape", "paired"), [((None,), False), ((4, None), False), ((4, 5), True)]
)
def test_shapes_without_usable_channels_are_refused(shape, paired):
    with pytest.raises(ValueError, match="Received: input_shape="):
        layers.KernelActivation(paired=paired).build(shape)

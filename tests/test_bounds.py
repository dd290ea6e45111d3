"""Bounds are never wrong: on random networks of every layer kind, and on every curve."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers
from robust_keras.bounds import Bounds, activation_curves, affine, certify, prove, smooth
from robust_keras.bounds.interval import ROUNDING, Interval
from robust_keras.bounds.kernel_curves import kernel_curve
from robust_keras.bounds.training_intervals import TrainingIntervals
from robust_keras.errors import InputError

K = keras.layers
CURVES = {
    **activation_curves.FUNCTIONS,
    "mrelu": activation_curves.MIRRORED,
    "rbf": activation_curves.BELL,
    "square": activation_curves.SQUARE,
    "sharp softplus": activation_curves.softplus(10.0),
    "smooth_relu": activation_curves.smooth_relu(400.0),
}


def random_intervals(rng, channels):
    centre = rng.normal(scale=3.0, size=(400, channels))
    radius = 10.0 ** rng.uniform(-6, 1, size=(400, channels))
    return Interval(tf.constant(centre - radius), tf.constant(centre + radius))


def line(relaxation, x, sign):
    """Slope and height of the line below each entry's curve, or with -1 of the line above."""
    entries = tf.eye(x.lower.shape[1], batch_shape=[len(x.lower)], dtype=tf.float64)
    (slopes,), heights = relaxation.pull(sign * entries)
    return sign * tf.linalg.diag_part(slopes), sign * heights


def encloses(curve, function, x, tolerance=1e-6):
    """Whether the range and both lines hold at 200 places of every interval."""
    relaxation = curve.relax(x)
    low, high = x.lower.numpy(), x.upper.numpy()
    (slope, height), (steep, top) = (line(relaxation, x, sign) for sign in (1.0, -1.0))
    places = low + np.linspace(0.0, 1.0, 200)[:, None, None] * (high - low)
    # In one call: of a layer each call makes its tables anew.
    values = np.asarray(function(tf.constant(places.reshape(-1, low.shape[1]))), np.float64)
    values = values.reshape(places.shape)
    slack = tolerance * (1.0 + np.abs(values))
    assert np.all(values >= relaxation.output.lower - slack)
    assert np.all(values <= relaxation.output.upper + slack)
    assert np.all(values >= slope * places + height - slack)
    assert np.all(values <= steep * places + top + slack)
    return relaxation


@pytest.mark.parametrize("name", CURVES)
def test_lines_enclose_the_curve(name):
    curve = CURVES[name]
    x = random_intervals(np.random.default_rng(0), 3)
    relaxation = encloses(curve, curve.value, x)
    # And closely, where intervals are short.
    short = (x.upper - x.lower).numpy() < 1e-3
    gap = (relaxation.output.upper - relaxation.output.lower).numpy()
    assert gap[short].max() < 0.05


@pytest.mark.parametrize("moving", (False, True), ids=("fixed", "trained dictionary"))
def test_lines_enclose_every_channel_of_a_kernel_activation(moving):
    layer = layers.KernelActivation(trainable_dictionary=moving, trainable_bandwidth=moving)
    layer.build((None, 4))
    rng = np.random.default_rng(1)
    layer.mixing_coefficients.assign(rng.normal(size=(4, 20)))
    if moving:
        layer.dictionary.assign(layer.dictionary + rng.normal(scale=0.2, size=(4, 20)))
    curve = kernel_curve(layer)
    encloses(curve, lambda x: layer(tf.cast(x, tf.float32)), random_intervals(rng, 4), 1e-5)


def residual(inputs):
    branch = K.Conv2D(4, 3, padding="same", strides=2, use_bias=False)(inputs)
    branch = K.Conv2D(4, 3, padding="same", activation="tanh")(K.BatchNormalization()(branch))
    skip = K.AveragePooling2D(2)(K.Conv2D(4, 1)(inputs))
    x = K.Concatenate()([K.Add()([branch, skip]), branch])
    return K.Dense(3)(K.GlobalAveragePooling2D()(K.ELU()(x)))


def pooled(activation, **pooling):
    def layers_of(inputs):
        x = K.Conv2D(4, 3, padding="same")(K.Normalization(mean=0.2, variance=0.3)(inputs))
        x = K.MaxPooling2D(**pooling)(activation()(x))
        x = activation()(K.Dense(8)(K.Flatten()(K.ZeroPadding2D(1)(x))))
        return K.Dense(3)(K.Dropout(0.5)(K.Reshape((8,))(x)))

    return layers_of


def squares(inputs):
    z = K.Dense(3)(K.Flatten()(K.Rescaling(2.0, -1.0)(inputs)))
    logits = K.Rescaling(-1.0)(K.Multiply()([z, z]))
    return layers.RejectionRule(threshold=0.5)(logits)


def nested(inputs):
    inner = keras.Input((8, 8, 1))
    block = keras.Model(inner, K.ReLU()(K.Conv2D(2, 3)(inner)))
    return keras.Sequential([K.Flatten(), K.Dense(3)])(block(inputs))


NETWORKS = {
    "residual": residual,
    "squares": squares,
    "nested": nested,
    "relu": pooled(K.ReLU),
    "leaky": pooled(lambda: K.LeakyReLU(negative_slope=0.1), pool_size=3, strides=2),
    "prelu": pooled(K.PReLU, pool_size=3, strides=2, padding="same"),
    "silu": pooled(lambda: K.Activation("silu")),
    "gelu": pooled(lambda: K.Activation("gelu")),
    "kernel": pooled(layers.KernelActivation),
    "mrelu": pooled(layers.SymmetricActivation),
    "rbf": pooled(lambda: layers.SymmetricActivation("rbf")),
    "smooth": pooled(layers.SmoothReLU),
    "softplus": pooled(layers.ParametricSoftplus),
    "sorted": pooled(layers.MaxMin),
    "winners": pooled(layers.KWinnersTakeAll),
}


def network(name):
    keras.utils.set_random_seed(0)
    images = keras.Input((8, 8, 1))
    model = keras.Model(images, NETWORKS[name](images))
    rng = np.random.default_rng(2)
    for layer in model.layers:
        if isinstance(layer, K.BatchNormalization):
            layer.moving_mean.assign(rng.normal(size=layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2, size=layer.moving_variance.shape))
    return model


def margins(model, images, labels):
    logits = np.asarray(model(images.astype("float32")), float)
    others = np.array([[c for c in range(3) if c != label] for label in labels])
    return np.take_along_axis(logits, labels[:, None], 1) - np.take_along_axis(logits, others, 1)


def in_training(model, images, labels, epsilon):
    """The bounds of margins that certified training lowers, with moving statistics."""
    model.trainable = False
    balls = (tf.constant(np.clip(images + move, 0, 1), tf.float32) for move in (-epsilon, epsilon))
    given = tf.constant(images, tf.float32), *balls, tf.constant(labels)
    _, worst = TrainingIntervals(model)(*given)
    return -worst.numpy()[worst.numpy() != 0.0].reshape(len(images), -1)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_change_within_epsilon_gets_below_the_bound(name):
    model, rng = network(name), np.random.default_rng(3)
    images = rng.uniform(size=(6, 8, 8, 1))
    labels = np.asarray(model(images.astype("float32"))).argmax(1)
    for epsilon in (0.0, 0.05):
        moves = [
            rng.uniform(-1, 1, size=(20, *images.shape)),
            rng.choice([-1, 1], (20, 6, 8, 8, 1)),
        ]
        changed = np.clip(images + epsilon * np.concatenate(moves), 0, 1)
        answers = margins(model, changed.reshape(-1, 8, 8, 1), np.tile(labels, len(changed)))
        least = answers.reshape(len(changed), len(images), -1)
        method = "thorough" if epsilon else "linear"
        loose = Bounds(model).margins(images, labels, epsilon, method="intervals")
        tight = Bounds(model).margins(images, labels, epsilon, method=method)
        exact = Bounds(model, rounding=False)
        looser = exact.margins(images, labels, epsilon, method="intervals")
        tighter = exact.margins(images, labels, epsilon, method=method)
        np.testing.assert_allclose(in_training(model, images, labels, epsilon), loose, atol=0.02)
        assert np.all(np.min(least, axis=0) >= np.maximum(loose, tight))
        assert np.all(looser > loose)
        assert np.all(np.min(least, axis=0) >= np.maximum(looser, tighter) - 1e-5)
        if epsilon == 0.0 and name != "winners":
            np.testing.assert_allclose(np.maximum(loose, tight), least[0], atol=2e-3)


def test_a_linear_model_is_bounded_exactly():
    model = keras.Sequential([keras.Input((8, 8, 1)), K.Flatten(), K.Dense(3)])
    rng = np.random.default_rng(4)
    images, labels = rng.uniform(0.2, 0.8, size=(5, 8, 8, 1)), np.array([0, 1, 2, 0, 1])
    kernel = np.asarray(model.layers[-1].kernel, float)
    sums = np.abs(kernel[:, :, None] - kernel[:, None, :]).sum(0)
    expected = margins(model, images, labels) - 0.1 * np.array(
        [[sums[label, c] for c in range(3) if c != label] for label in labels]
    )
    exact = Bounds(model, rounding=False).margins(images, labels, 0.1)
    np.testing.assert_allclose(exact, expected, atol=1e-6)  # of margins that float32 computed
    rounded = Bounds(model).margins(images, labels, 0.1)
    assert np.all(rounded < exact)
    np.testing.assert_allclose(rounded, exact, atol=1e-4)


def test_linear_bounds_prove_what_intervals_do_not():
    model, rng = network("relu"), np.random.default_rng(5)
    images = rng.uniform(size=(40, 8, 8, 1))
    labels = np.asarray(model(images.astype("float32"))).argmax(1)
    loose = certify(model, images, labels, 0.004, method="intervals")
    tight = certify(model, images, labels, 0.004, method="linear")
    thorough = certify(model, images, labels, 0.008)
    assert tight.sum() > loose.sum()
    assert thorough.sum() > certify(model, images, labels, 0.008, method="linear").sum()
    assert not certify(model, images, (labels + 1) % 3, 0.0).any()


def test_only_what_holds_at_one_epsilon_is_tried_at_the_next():
    model, rng = network("relu"), np.random.default_rng(5)
    images = rng.uniform(size=(20, 8, 8, 1))
    labels = np.asarray(model(images.astype("float32"))).argmax(1)
    epsilons, told = (0.0, 0.002, 0.01, 0.5), []
    proved = prove(
        model, images, labels, epsilons, batch_size=8, progress=lambda *d: told.append(d)
    )
    expected = [certify(model, images, labels, epsilon) for epsilon in epsilons]
    np.testing.assert_array_equal(proved, expected)
    assert proved[0].all() and not proved[-1].any() and told[-1] == (80, 80)


def test_smoothing_a_half_space_proves_its_distance_and_no_more():
    """Of a linear classifier of two classes the smoothed one is itself: distances are known."""
    rng = np.random.default_rng(6)
    weights = rng.normal(size=(16, 1))
    images = rng.uniform(size=(40, 4, 4, 1)).astype("float32")

    def signed(batch):
        return (batch.reshape(len(batch), -1) @ weights)[:, 0] - 1.0

    distances = np.abs(signed(images)) / np.linalg.norm(weights)
    labels = (signed(images) > 0.0).astype(int)
    settings = {"sigma": 0.5, "samples": 2000, "alpha": 0.001, "seed": 1}
    found = smooth(lambda batch: signed(batch) > 0.0, images, **settings)
    sure = found.answers >= 0
    assert sure.sum() > 20 and (found.answers[sure] == labels[sure]).all()
    assert np.all(found.radii <= distances) and not found.radii[~sure].any()
    assert np.all(found.radii[sure] >= np.minimum(distances[sure], 1.0) - 0.15)
    # The curve is a count, image by image.
    radii = np.array([0.0, 0.1, 0.3])
    by_hand = [np.mean(sure & (found.answers == labels) & (found.radii >= r)) for r in radii]
    np.testing.assert_array_equal(found.accuracy(labels, radii), by_hand)
    part = smooth(lambda b: signed(b) > 0.0, images[7:9], numbers=(7, 8), **settings)
    np.testing.assert_array_equal(part.radii, found.radii[7:9])


def test_a_softmax_at_the_end_changes_no_proof():
    rng = np.random.default_rng(8)
    images = rng.uniform(size=(12, 8, 8, 1))
    plain = keras.Sequential([keras.Input((8, 8, 1)), K.Flatten(), K.Dense(3)])
    expected = Bounds(plain).margins(images, labels := rng.integers(3, size=12), 0.01)
    softmax = K.Activation("softmax")
    for end in ([K.Dense(3, "softmax")], [K.Dense(3), K.Softmax()], [K.Dense(3), softmax]):
        model = keras.Sequential([keras.Input((8, 8, 1)), K.Flatten(), *end])
        model.set_weights(plain.get_weights())
        np.testing.assert_allclose(Bounds(model).margins(images, labels, 0.01), expected, atol=1e-9)
        assert np.all(certify(model, images, labels, 0.01) == np.all(expected > 1e-3, axis=1))


class Unknown(K.Layer):
    def call(self, inputs):
        return inputs


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (keras.Sequential([keras.Input((8, 8, 1)), Unknown(name="mine"), K.Flatten()]), "'mine'"),
        (Subclassed(name="free"), "functional"),
        (
            keras.Sequential(
                [keras.Input((8, 8, 1)), K.Flatten(), K.Dense(3, "selu", name="last")]
            ),
            "last",
        ),
    ],
    ids=("layer", "subclassed", "activation"),
)
def test_what_has_no_known_bounds_is_named(model, text):
    with pytest.raises(InputError, match=text):
        Bounds(model).margins(np.zeros((1, 8, 8, 1)), [0], 0.1)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"epsilon": 1.5}, "epsilon"),
        ({"method": "magic"}, "method"),
        ({"images": np.full((1, 8, 8, 1), 255.0)}, "images"),
        ({"labels": [0, 1]}, "labels"),
    ],
)
def test_arguments_out_of_range_are_refused(changes, text):
    arguments = {"images": np.zeros((1, 8, 8, 1)), "labels": [0], "epsilon": 0.1} | changes
    with pytest.raises(ValueError, match=text):
        Bounds(network("nested")).margins(**arguments)


def test_float32_in_any_order_stays_within_what_is_added_for_it():
    rng = np.random.default_rng(0)
    kernel, images = rng.normal(size=(400, 3)), rng.uniform(-1.0, 1.0, size=(5, 400))
    kernel, images = np.float32(kernel), np.float32(images)
    rule = affine.Affine(
        lambda x: tf.tensordot(x, tf.constant(kernel, tf.float64), 1),
        lambda x: tf.tensordot(x, tf.abs(tf.constant(kernel, tf.float64)), 1),
        terms=400,
        mixes=True,
    )
    point = tf.constant(images, tf.float64)
    allowed = rule.rounding(Interval(point, point)).numpy()
    products = images[..., None] * kernel
    exact = np.float64(images) @ np.float64(kernel)
    for order in (products, np.sort(products, axis=1), np.sort(products, axis=1)[:, ::-1]):
        error = np.abs(np.cumsum(order, axis=1, dtype=np.float32)[:, -1] - exact)
        assert np.all(error <= allowed)
    # What the textbook's bound allows, which knows nothing of signs, is about twice as much.
    textbook = 402 * ROUNDING * (np.abs(images) @ np.abs(kernel))
    assert np.all(allowed < 0.7 * textbook)

"""Exports of models that end in anything but logits, hold randomness, or declare no shape."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers, serving
from robust_keras.serving.confidence import ConfidenceRule
from robust_keras.serving.signatures import PIXEL_TOLERANCE

IMAGES = np.random.default_rng(0).uniform(size=(6, 4, 4, 1)).astype("float32")


def body(columns=3, scale=6.0):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(
                columns, kernel_initializer=keras.initializers.RandomNormal(stddev=scale)
            ),
        ]
    )


class Wrapped(keras.Model):
    """A subclass, whose inputs Keras does not know."""

    def __init__(self, inner, last):
        super().__init__()
        self.inner, self.last = inner, last

    def call(self, images):
        return self.last(self.inner(images))


class Compiled(Wrapped):
    """One whose softmax lies inside a function of its own."""

    @tf.function
    def call(self, images):
        return self.last(self.inner(images))


def softmaxes(inner):
    images = keras.Input((4, 4, 1))
    nested = keras.Sequential([inner, keras.layers.Softmax()])
    half = keras.layers.Activation("softmax", dtype="mixed_float16")
    spatial = keras.layers.Softmax()(keras.layers.Reshape((1, 1, 3))(inner(images)))
    return {
        "layer": nested,
        "activation": keras.Sequential([inner, keras.layers.Activation("softmax")]),
        "nested": keras.Model(images, nested(images)),
        "ours": keras.Sequential([inner, layers.TemperatureSoftmax()]),
        "half precision": keras.Sequential([inner, half]),
        "reshaped": keras.Model(images, keras.layers.Flatten()(spatial)),
        "subclass": Wrapped(inner, keras.layers.Softmax()),
        "hidden": Compiled(inner, keras.layers.Softmax()),
        "rule": keras.Sequential([inner, keras.layers.Softmax(), layers.RejectionRule(0, 0.6)]),
    }


def served(model, directory, **settings):
    path = serving.export(model, directory, **settings)
    return tf.saved_model.load(str(path)).signatures


@pytest.mark.parametrize("head", softmaxes(body()))
def test_a_softmax_is_served_once(head, tmp_path):
    inner = body()
    logits = inner(IMAGES).numpy()
    expected = keras.ops.softmax(logits).numpy()
    assert expected.max(axis=1).mean() > 0.9, "or the softmax of the softmax is not far from it"
    model = softmaxes(inner)[head]
    model(IMAGES)
    signatures = served(model, tmp_path, image_shape=(4, 4, 1))
    answers = signatures["serving_default"](images=IMAGES)
    tolerance = 2e-3 if head == "half precision" else 1e-5
    np.testing.assert_allclose(answers["probabilities"], expected, atol=tolerance)
    np.testing.assert_allclose(answers["confidence"], expected.max(axis=1), atol=tolerance)
    np.testing.assert_array_equal(answers["classes"], logits.argmax(axis=1))
    raw = signatures["logits"](images=IMAGES)["logits"].numpy()
    differences = raw - raw.mean(axis=1, keepdims=True)
    exact = logits - logits.mean(axis=1, keepdims=True)
    if head != "hidden":  # there the logarithm cannot bring back what float32 has lost
        np.testing.assert_allclose(differences, exact, rtol=2e-3, atol=0.05)
    if head == "rule":
        np.testing.assert_array_equal(answers["rejected"], expected.max(axis=1) < 0.6)


@pytest.mark.parametrize("last", [None, "sigmoid"])
def test_one_column_is_two_classes(last, tmp_path):
    inner = body(columns=1)
    model = keras.Sequential([inner, keras.layers.Activation(last)]) if last else inner
    z = inner(IMAGES).numpy()[:, 0]
    signatures = served(model, tmp_path)
    answers = signatures["serving_default"](images=IMAGES)
    sigmoid = 1 / (1 + np.exp(-z.astype("float64")))
    expected = np.stack([1 - sigmoid, sigmoid], axis=1)
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)
    np.testing.assert_array_equal(answers["classes"], (z > 0).astype("int64"))
    np.testing.assert_allclose(
        signatures["logits"](images=IMAGES)["logits"], np.stack([0 * z, z], axis=1), rtol=1e-5
    )


@pytest.mark.parametrize("built", [True, False])
def test_a_subclass_takes_the_shape_that_is_given(built, tmp_path):
    model = Wrapped(body(), keras.layers.Activation("linear"))
    if built:
        model(IMAGES)
        assert serving.export(model, tmp_path / "known")
    signatures = served(model, tmp_path, image_shape=(4, 4, 1))
    np.testing.assert_allclose(
        signatures["logits"](images=IMAGES)["logits"], model(IMAGES), rtol=1e-5
    )


def random_model(layer):
    images = keras.Input((4, 4, 1))
    noisy = layer(images, training=True)
    return keras.Model(images, body()(noisy))


@pytest.mark.parametrize("outer", ["functional", "nested", "sequential"])
def test_only_the_layer_that_was_told_to_train_does(outer, tmp_path):
    images, end = keras.Input((4, 4, 1)), body()
    resized = keras.layers.Resizing(4, 4)(images)
    told = keras.layers.Dropout(0.0)(resized, training=True)
    model = keras.Model(images, end(keras.layers.Dropout(0.5)(told)))
    if outer == "nested":
        model = keras.Model(images, keras.layers.Dropout(0.5)(model(images)))
    elif outer == "sequential":
        model = keras.Sequential([images, keras.layers.RandomFlip(seed=2), model])
    answers = served(model, tmp_path)["logits"](images=IMAGES)["logits"]
    np.testing.assert_allclose(answers, end(IMAGES), rtol=1e-5)


@pytest.mark.parametrize(
    "layer", [keras.layers.Dropout(0.5), keras.layers.GaussianNoise(0.3),
              keras.layers.RandomFlip(seed=1)],
    ids=["dropout", "noise", "augmentation"],
)  # fmt: skip
def test_randomness_that_is_part_of_the_model_is_exported(layer, tmp_path):
    model = random_model(layer)
    ours = served(model, tmp_path / "ours")["logits"]
    many = np.repeat(IMAGES[:1], 200, axis=0)
    spread = np.std(ours(images=many)["logits"], axis=0)
    model.export(tmp_path / "keras", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "keras"))
    assert np.all(spread > 0.1)
    np.testing.assert_allclose(spread, np.std(loaded.serve(many), axis=0), rtol=0.5)


def test_batch_statistics_that_are_part_of_the_model_are_exported(tmp_path):
    model = random_model(keras.layers.BatchNormalization())
    ours = served(model, tmp_path)["logits"]
    batch = np.concatenate([IMAGES, IMAGES * 0.1])
    alone, together = (ours(images=images)["logits"][:6] for images in (IMAGES, batch))
    assert np.abs(alone - together).max() > 0.1


def numbers_in(path):
    reader = tf.train.load_checkpoint(str(pathlib.Path(path) / "variables" / "variables"))
    shapes = reader.get_variable_to_shape_map()
    return sum(
        int(np.prod(shape)) for name, shape in shapes.items() if not name.startswith("_CHECK")
    )


@pytest.mark.parametrize(
    "activation",
    [
        lambda: layers.KernelActivation(),
        lambda: layers.KWinnersTakeAll(0.3),
        lambda: keras.layers.ReLU(),
    ],
    ids=["kaf", "kwta", "relu"],
)
def test_every_weight_is_written_once(activation, tmp_path):
    images = keras.Input((8, 8, 1))
    hidden = keras.layers.BatchNormalization()(keras.layers.Conv2D(8, 3)(images))
    model = keras.Model(images, keras.layers.Dense(3)(keras.layers.Flatten()(activation()(hidden))))
    path = serving.export(model, tmp_path)
    assert numbers_in(path) == model.count_params()
    loaded = serving.load(path)
    assert loaded.parameters == model.count_params() and loaded.gradient_error is None
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="logits")
    noise = np.random.default_rng(0).uniform(size=(2, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(layer(noise)["logits"], model(noise), rtol=1e-4, atol=1e-5)
    trainable = [tuple(weight.shape) for weight in layer.trainable_weights]
    assert sorted(trainable) == sorted(tuple(w.shape) for w in model.trainable_weights)


def test_images_that_are_none_are_told(tmp_path):
    images = np.repeat(IMAGES[:1], 8, axis=0)
    for index, pixel in enumerate([np.nan, np.inf, -np.inf, -0.01, 1.01, 255.0], start=1):
        images[index, 1, 1, 0] = pixel
    images[7, 1, 1, 0] = 1.0 + PIXEL_TOLERANCE / 2
    answers = served(body(), tmp_path)["serving_default"](images=images)
    assert answers["valid"].numpy().tolist() == [True, *[False] * 6, True]
    assert np.isnan(answers["confidence"]).tolist() == [False, True, True, True, *[False] * 4]


def test_an_image_of_nan_gets_no_confidence_whatever_the_layers_make_of_it(tmp_path):
    # Max pooling makes the lowest float32 of NaN, where a kernel activation is 0.
    head = [keras.layers.MaxPooling2D(2), layers.KernelActivation(), keras.layers.Flatten()]
    model = keras.Sequential([keras.Input((4, 4, 1)), *head, keras.layers.Dense(3)])
    images = np.concatenate([IMAGES[:1], np.full_like(IMAGES[:1], np.nan)])
    assert np.isfinite(model(images)).all()
    answers = served(model, tmp_path)["serving_default"](images=images)
    assert answers["valid"].numpy().tolist() == [True, False]
    assert np.isnan(answers["confidence"]).tolist() == [False, True]
    assert np.isnan(answers["probabilities"]).all(axis=1).tolist() == [False, True]


def test_an_image_of_nan_is_rejected(tmp_path):
    model = keras.Sequential([body(), layers.RejectionRule(threshold=0.0)])
    images = np.concatenate([IMAGES[:1], np.full_like(IMAGES[:1], np.nan)])
    answers = served(model, tmp_path)["serving_default"](images=images)
    assert answers["rejected"].numpy().tolist() == [False, True]
    assert model.layers[-1].rejected(model(images)).numpy().tolist() == [False, True]


@pytest.mark.parametrize(("kind", "temperature"), [("softmax", 0.001), ("rbf", 7.0)])
def test_the_confidence_rule_is_in_the_export(kind, temperature, tmp_path):
    path = serving.export(body(), tmp_path, confidence=kind, temperature=temperature)
    settings = tf.saved_model.load(str(path)).signatures["confidence_rule"]()
    assert settings["kind"].numpy() == kind.encode() and settings["temperature"] == temperature
    assert serving.load(path).confidence == ConfidenceRule(kind, temperature)

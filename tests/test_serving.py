"""Exports: names, parity, gradients, and that nothing but TensorFlow is needed to load them."""

import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers, serving
from robust_keras.errors import InputError
from robust_keras.serving import saved_model_edit

IMAGES = np.random.default_rng(0).uniform(size=(5, 8, 8, 1)).astype("float32")


def build(activation=None, classes=3, final=None):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="images"),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            activation or layers.KernelActivation(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(classes, activation=final),
        ]
    )


def predict(model):
    """The logits as Keras' own compiled forward pass computes them."""
    return model.predict_on_batch(IMAGES)


def gradient(function, images=IMAGES):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(function(images) ** 2)
    return tape.gradient(total, images).numpy()


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return build()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return serving.export(model, tmp_path_factory.mktemp("serving") / "new", temperature=4.0)


@pytest.fixture(scope="module")
def classifier(exported):
    return serving.load(exported)


def test_signatures_have_the_names_and_types_of_the_contract(exported):
    loaded = tf.saved_model.load(str(exported))
    names = {"serving_default", "logits", "uint8_images", "encoded_images", "confidence_rule"}
    assert set(loaded.signatures) == names
    expected = {
        "serving_default": {
            "probabilities": (tf.float32, [None, 3]),
            "classes": (tf.int64, [None]),
            "confidence": (tf.float32, [None]),
            "valid": (tf.bool, [None]),
        },
        "logits": {"logits": (tf.float32, [None, 3])},
    }
    for name, outputs in expected.items():
        function = loaded.signatures[name]
        ((key, spec),) = function.structured_input_signature[1].items()
        assert (key, spec.shape.as_list(), spec.dtype) == ("images", [None, 8, 8, 1], tf.float32)
        found = function.structured_outputs
        assert {k: (v.dtype, v.shape.as_list()) for k, v in found.items()} == outputs


def test_exported_logits_and_gradients_are_those_of_keras(model, classifier):
    reference = serving.from_keras(model)
    np.testing.assert_allclose(classifier.logits(IMAGES), predict(model), atol=1e-5)
    np.testing.assert_allclose(
        gradient(classifier.logits), gradient(reference.logits), rtol=1e-4, atol=1e-5
    )
    assert classifier.gradient_error is None and reference.gradient_error is None


def test_bytes_and_files_are_answered_like_images(exported):
    answers = tf.saved_model.load(str(exported)).signatures
    pixels = np.round(255 * IMAGES).astype("uint8")
    expected = answers["serving_default"](images=tf.constant(pixels / np.float32(255)))
    files = [tf.io.encode_png(picture).numpy() for picture in pixels]
    for name, images in (("uint8_images", pixels), ("encoded_images", files)):
        found = answers[name](images=tf.constant(images))
        assert set(found) == set(expected)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=0, atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible with expected shape"):
        answers["encoded_images"](images=tf.io.encode_png(np.zeros((9, 8, 1), "uint8"))[None])


def test_class_names_are_told_in_the_order_of_the_outputs(tmp_path):
    model = build(keras.layers.ReLU())
    path = serving.export(model, tmp_path, class_names=("cat", "dog", "emu"))
    names = tf.saved_model.load(str(path)).signatures["class_names"]()["class_names"]
    assert [name.decode() for name in names.numpy()] == ["cat", "dog", "emu"]
    with pytest.raises(InputError, match="class_names: expected 3 names; received 2"):
        serving.export(model, tmp_path, version=2, class_names=("cat", "dog"))
    assert not (tmp_path / "2").exists()


def test_default_signature_divides_by_the_temperature(model, exported):
    outputs = tf.saved_model.load(str(exported)).signatures["serving_default"](images=IMAGES)
    logits = predict(model)
    expected = np.exp(logits / 4.0)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-5)
    np.testing.assert_array_equal(outputs["classes"], logits.argmax(axis=1))
    np.testing.assert_allclose(outputs["confidence"], expected.max(axis=1), atol=1e-5)


def test_rbf_confidence_is_the_units_own_answer(tmp_path):
    # log y of an RBF unit is never above 0; 1.5 shows that confidence still stays a fraction.
    offsets = keras.layers.Dense(2, kernel_initializer="zeros", bias_initializer="zeros")
    flat = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), offsets])
    cases = {1: ([-2.0, -0.5], np.exp(-0.5)), 2: ([-40.0, -30.0], np.exp(-30.0)), 3: ([0, 1.5], 1)}
    for version, (bias, expected) in cases.items():
        offsets.set_weights([np.zeros((4, 2)), np.array(bias)])
        path = serving.export(flat, tmp_path, version=version, confidence="rbf")
        served = tf.saved_model.load(str(path)).signatures["serving_default"]
        outputs = served(images=np.zeros((1, 2, 2, 1), "float32"))
        np.testing.assert_allclose(outputs["confidence"], [expected], rtol=1e-5)
        np.testing.assert_allclose(np.sum(outputs["probabilities"]), 1.0, rtol=1e-6)


def test_loads_elsewhere_with_tensorflow_alone(model, exported, tmp_path, run_plain_code):
    np.save(tmp_path / "images.npy", IMAGES)
    code = f"""
        import importlib.util
        import numpy as np, tensorflow as tf
        images = tf.constant(np.load("images.npy"))
        loaded = tf.saved_model.load({str(exported)!r})
        function = loaded.signatures["logits"]
        with tf.GradientTape() as tape:
            tape.watch(images)
            logits = function(images=images)["logits"]
            total = tf.reduce_sum(logits ** 2)
        np.save("logits.npy", logits)
        np.save("gradient.npy", tape.gradient(total, images))
        assert not any(map(importlib.util.find_spec, ("layers", "robust_keras")))
    """
    done = run_plain_code(textwrap.dedent(code), cwd=tmp_path)
    assert done.returncode == 0, done.output
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), predict(model), atol=1e-5)
    expected = gradient(serving.from_keras(model).logits)
    np.testing.assert_allclose(np.load(tmp_path / "gradient.npy"), expected, rtol=1e-4, atol=1e-5)


def test_graph_uses_no_operation_that_needs_xla_or_python(exported):
    message = saved_model_edit.read(exported)
    operations = {
        node.op
        for function in message.meta_graphs[0].graph_def.library.function
        for node in function.node_def
    }
    assert not [name for name in operations if "Xla" in name or "PyFunc" in name]


def test_mixed_precision_model_exports_float32(tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build(keras.layers.Activation("relu"))
    finally:
        keras.config.set_dtype_policy(before)
    classifier = serving.load(serving.export(model, tmp_path))
    assert classifier.logits(IMAGES).dtype == tf.float32
    assert classifier.gradient_error is None


def test_versions_stand_side_by_side_and_the_highest_is_loaded(tmp_path):
    first, other = (build(keras.layers.ReLU()) for _ in range(2))
    for version, which in ((2, first), (10, other)):
        assert serving.export(which, tmp_path, version=version) == tmp_path / str(version)
    classifier = serving.load(tmp_path)
    assert classifier.path == tmp_path / "10"
    np.testing.assert_allclose(classifier.logits(IMAGES), predict(other), atol=1e-5)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["10", "2"]


def test_existing_version_is_never_overwritten(model, exported):
    before = (exported / "saved_model.pb").read_bytes()
    with pytest.raises(InputError, match="not there yet"):
        serving.export(model, exported.parent)
    assert (exported / "saved_model.pb").read_bytes() == before


def two_inputs():
    first, second = keras.Input((4, 4, 1)), keras.Input((4, 4, 1))
    flat = keras.layers.Flatten()(keras.layers.Add()([first, second]))
    return keras.Model([first, second], keras.layers.Dense(2)(flat))


def flat(*tail, dtype="float32"):
    return keras.Sequential([keras.Input((4, 4, 1), dtype=dtype), keras.layers.Flatten(), *tail])


def whole_numbers():
    return flat(keras.layers.Rescaling(1.0), keras.layers.Dense(2), dtype="uint8")


def two_outputs():
    inputs = keras.Input((4, 4, 1))
    hidden = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, [keras.layers.Dense(2)(hidden), keras.layers.Dense(3)(hidden)])


def doubtful_column():
    return flat(keras.layers.Dense(1, activation="hard_sigmoid"))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"version": 0}, "version: expected a whole number of at least 1; received 0"),
        ({"version": "1"}, "version: expected a whole number"),
        ({"temperature": 0.0}, "temperature: expected a number from 1e-06 to 1e+06; received 0.0"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": 1e-300}, "a number from 1e-06 to 1e+06; received 1e-300"),
        ({"temperature": 1e300}, "a number from 1e-06 to 1e+06; received 1e+300"),
        ({"confidence": "sure"}, "confidence: expected one of softmax, rbf; received sure"),
        ({"model": keras.Sequential([keras.layers.Dense(2)])}, "pass image_shape="),
        ({"model": lambda images: images}, "model: expected a Keras model; received function"),
        ({"image_shape": (8, 8)}, "image_shape: expected (height, width, channels)"),
        ({"image_shape": (8, 8, 3)}, "that of the model, (8, 8, 1); received (8, 8, 3)"),
        ({"model": whole_numbers()}, "give the model a keras.Input of float32"),
        ({"model": two_outputs()}, "keras.Model(model.inputs, the output to serve)"),
        ({"model": doubtful_column()}, "keras.layers.Activation('sigmoid')"),
        ({"model": keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])}, "(None, 4)"),
        ({"model": two_inputs()}, "one image batch"),
    ],
)
def test_bad_arguments_are_refused_and_nothing_is_written(model, tmp_path, settings, text):
    arguments = {"model": model, **settings}
    with pytest.raises(InputError) as caught:
        serving.export(arguments.pop("model"), tmp_path / "new", **arguments)
    assert text in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_way_is_one_line(model, tmp_path):
    (tmp_path / "file").write_text("here first")
    with pytest.raises(InputError, match="can be written"):
        serving.export(model, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "here first"


FULL = "No space left on device"


@pytest.mark.parametrize(
    "error", [OSError(28, FULL), tf.errors.ResourceExhaustedError(None, None, FULL)]
)
def test_failed_write_leaves_nothing(model, tmp_path, monkeypatch, error):
    def full(self, *args, **kwargs):
        raise error

    monkeypatch.setattr("tensorflow.saved_model.save", full)
    with pytest.raises(InputError, match="No space left"):
        serving.export(model, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_keras_file_and_export_tell_the_same(model, classifier, tmp_path):
    model.save(tmp_path / "model.keras")
    ours, file = classifier, serving.load(tmp_path / "model.keras")
    assert (ours.format, file.format) == ("saved_model", "keras")
    for name in ("image_shape", "num_classes", "output_kind", "parameters", "sparsity"):
        assert getattr(ours, name) == getattr(file, name), name
    assert file.parameters == model.count_params()
    np.testing.assert_allclose(ours.logits(IMAGES), file.logits(IMAGES), atol=1e-5)


def test_sparsity_is_the_fraction_of_zeros_in_the_kernels(tmp_path):
    model = build(keras.layers.ReLU())
    model.layers[-1].kernel.assign(np.zeros(model.layers[-1].kernel.shape))
    kernels = [model.layers[0].kernel, model.layers[-1].kernel]
    expected = np.sum([np.sum(k.numpy() == 0) for k in kernels]) / sum(np.size(k) for k in kernels)
    assert serving.from_keras(model).sparsity == pytest.approx(expected)
    assert serving.load(serving.export(model, tmp_path)).sparsity == pytest.approx(expected)


def test_dropout_and_batch_normalization_are_in_inference_mode(classifier):
    alone = np.concatenate([classifier.logits(IMAGES[i : i + 1]) for i in range(5)])
    # Batches of another size are summed in another order, which the KAF amplifies.
    np.testing.assert_allclose(classifier.logits(IMAGES), alone, atol=1e-4)
    assert classifier.deterministic


def test_logits_is_one_function_traced_once(classifier):
    function = classifier.logits
    for batch in (1, 3, 5):
        function(tf.constant(IMAGES[:batch]))
    assert classifier.logits is function
    assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("final", ["softmax", "layer", "subclass"])
def test_keras_softmax_is_undone_exactly(final):
    model = build(keras.layers.Activation("relu"))
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 1000.0)
    logits = model(IMAGES).numpy()
    wrapped = {
        "softmax": lambda: keras.Sequential([model, keras.layers.Activation("softmax")]),
        "layer": lambda: keras.Sequential([model, layers.TemperatureSoftmax(2.0)]),
        "subclass": lambda: keras.Sequential(
            [keras.Input((8, 8, 1)), model, keras.layers.Softmax()]
        ),
    }[final]()
    wrapped.build((None, 8, 8, 1))
    classifier = serving.from_keras(wrapped)
    assert (classifier.output_kind, classifier.format) == ("probabilities", "keras")
    scale = 2.0 if final == "layer" else 1.0
    np.testing.assert_allclose(classifier.logits(IMAGES), logits / scale, rtol=1e-4, atol=1e-3)
    assert np.abs(logits).max() > 104, "the softmax must be saturated for this test to say anything"

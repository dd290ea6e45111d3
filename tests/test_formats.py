"""Layers and exports as LiteRT and ONNX, with these formats' own operations only."""

import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers, serving
from robust_keras.errors import InputError
from robust_keras.serving import export_notes
from robust_keras.serving.formats import FORMATS

HAS_ONNX = importlib.util.find_spec("tf2onnx") is not None
needs_onnx = pytest.mark.skipif(not HAS_ONNX, reason="the extra `onnx` is not installed")

IMAGES = np.random.default_rng(0).uniform(size=(1, 8, 8, 2)).astype("float32")
ACTIVATIONS = {
    "kaf": layers.KernelActivation,
    "kwta": lambda: layers.KWinnersTakeAll(0.3),
    "kwta per channel": lambda: layers.KWinnersTakeAll(0.3, per_channel=True),
    "smooth relu": layers.SmoothReLU,
    "mrelu": layers.SymmetricActivation,
}


def network(activation):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Normalization(mean=[0.5, 0.4], variance=[0.2, 0.3]),
            keras.layers.Conv2D(6, 3),
            keras.layers.BatchNormalization(),
            activation(),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )


def run(converter, signature):
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    runner = interpreter.get_signature_runner(signature)
    (name,) = runner.get_input_details()
    return runner(**{name: IMAGES})


# What becomes of "kaf" is seen in the export below.
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "kaf"])
def test_a_model_with_our_layers_converts_and_agrees(name):
    model = network(ACTIVATIONS[name])
    found = run(tf.lite.TFLiteConverter.from_keras_model(model), "serving_default")
    np.testing.assert_allclose(*found.values(), model(IMAGES), atol=1e-5)


def test_an_export_converts_and_agrees(tmp_path, monkeypatch):
    model = network(ACTIVATIONS["kaf"])
    formats = ["litert", "onnx"] if HAS_ONNX else ["litert"]
    # Which TensorFlow takes for a pattern.
    path = serving.export(model, tmp_path / "[1]\\x", other_formats=formats)
    monkeypatch.chdir(path)
    served = tf.saved_model.load(".")
    expected = served.signatures["serving_default"](images=IMAGES)
    for form in formats:
        file = path / "assets.extra" / FORMATS[form].FILE
        found = FORMATS[form].answers(file.read_bytes(), IMAGES, "serving_default")
        for output, value in expected.items():
            np.testing.assert_allclose(found[output], value, atol=1e-5, err_msg=output)
        noted = export_notes.read(path, "formats.json")[file.name]
        assert noted["largest_difference"] <= 1e-5 and noted["images"] == 8


@pytest.mark.parametrize(
    ("form", "activation", "operation"),
    [
        ("litert", lambda: layers.KernelActivation(paired=True), "TensorListReserve"),
        pytest.param("onnx", ACTIVATIONS["smooth relu"], "Log1p", marks=needs_onnx),
    ],
)
def test_an_operation_that_a_format_lacks_is_named(form, activation, operation, tmp_path, capfd):
    with pytest.raises(InputError, match=f"--export_formats={form}: .* operation .*{operation}"):
        serving.export(network(activation), tmp_path / "serving", other_formats=[form])
    assert not (tmp_path / "serving").exists()
    assert operation not in capfd.readouterr().err


def test_answers_that_differ_are_refused(tmp_path, monkeypatch):
    content = serving.export(network(keras.layers.ReLU), tmp_path / "a", other_formats=["litert"])
    other = (content / "assets.extra" / "model.tflite").read_bytes()
    monkeypatch.setattr(FORMATS["litert"], "converted", lambda *_: other)
    with pytest.raises(InputError, match=r"within 1e-05 of the SavedModel's; received 0\.\d+"):
        serving.export(network(ACTIVATIONS["mrelu"]), tmp_path / "b", other_formats=["litert"])


def test_a_format_whose_packages_are_missing_is_refused_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(FORMATS["onnx"], "_PACKAGES", ("tf2onnx_that_is_not_there",))
    with pytest.raises(InputError, match="extra `onnx` .* received no tf2onnx_that_is_not_there"):
        serving.export(network(keras.layers.ReLU), tmp_path, other_formats=["onnx"])

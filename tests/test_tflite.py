"""Layers and exports in TensorFlow Lite, with its own operations only."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers, serving

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


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_model_with_our_layers_converts_and_agrees(name):
    model = network(ACTIVATIONS[name])
    found = run(tf.lite.TFLiteConverter.from_keras_model(model), "serving_default")
    np.testing.assert_allclose(*found.values(), model(IMAGES), atol=1e-5)


@pytest.mark.parametrize("name", ["kaf", "kwta"])
def test_an_export_converts_and_agrees(name, tmp_path):
    model = network(ACTIVATIONS[name])
    path = str(serving.export(model, tmp_path))
    found = run(tf.lite.TFLiteConverter.from_saved_model(path), "serving_default")
    served = tf.saved_model.load(path)
    expected = served.signatures["serving_default"](images=IMAGES)
    for output, value in expected.items():
        np.testing.assert_allclose(found[output], value, atol=1e-5, err_msg=output)

"""Files of models: of other formats, of other Keras, with what nobody knows, under two names."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from stranger_network import (
    BIAS,
    EXAMPLES,
    IMAGES,
    LOGITS,
    SHAPE,
    WEIGHTS,
    assert_same_model,
    network,
)

from robust_keras import serving
from robust_keras.errors import InputError
from robust_keras.runs import evaluation
from robust_keras.serving.load import model_location
from robust_keras.settings.config import EvaluateConfig


@pytest.mark.parametrize("name", ["model.h5", "model.hdf5"])
def test_hdf5_files_of_keras_3_are_loaded(name, tmp_path):
    network().save(tmp_path / name)
    assert_same_model(serving.load(tmp_path / name, examples=EXAMPLES))


class Unregistered(keras.layers.Layer):
    """Of a module that nobody has."""

    __module__ = "a_module_of_somebody"

    def call(self, inputs):
        return inputs


class Subclassed(keras.Model):
    """A model that is a class of its own."""

    __module__ = "a_module_of_somebody"

    def __init__(self, **settings):
        super().__init__(**settings)
        self.dense = keras.layers.Dense(4)

    def call(self, images):
        return self.dense(keras.ops.reshape(images, (-1, 30)))


def write(kind, path):
    if kind == "weights":
        network().save_weights(path)
    elif kind == "subclassed":
        model = Subclassed(name="mine")
        model(IMAGES)
        model.save(path)
    else:
        layers = {
            "custom": Unregistered(name="mine"),
            "lambda": keras.layers.Lambda(lambda t: t * 1.0, name="mine"),
        }
        network(before=layers[kind]).save(path)


UNKNOWN = {
    "custom": ("m.keras", "the layer 'mine' of class Unregistered, which is not known here"),
    "subclassed": ("m.keras", "the model of class Subclassed, which is not known here"),
    "lambda": ("m.keras", "the layer 'mine' of class Lambda, whose Python code is never run"),
    "weights": ("m.weights.h5", "weights without a model"),
}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_what_keras_cannot_load_is_named_with_what_to_do(kind, tmp_path):
    name, said = UNKNOWN[kind]
    write(kind, tmp_path / name)
    with pytest.raises(InputError) as caught:
        serving.load(tmp_path / name, examples=EXAMPLES)
    assert said in str(caught.value) and "model.export(DIRECTORY)" in str(caught.value)
    assert "class __" not in str(caught.value)


def of_keras_2(after):
    images = tf_keras.Input(SHAPE)
    layer = tf_keras.layers.Dense(4)
    model = tf_keras.Model(images, after(layer(tf_keras.layers.Flatten()(images))))
    layer.set_weights([WEIGHTS, BIAS])
    return model


def test_files_of_keras_2_are_loaded_where_keras_3_can(tmp_path):
    of_keras_2(tf_keras.layers.ReLU(name="last")).save(tmp_path / "model.h5")
    classifier = serving.load(tmp_path / "model.h5", examples=EXAMPLES)
    np.testing.assert_allclose(classifier.logits(IMAGES), np.maximum(LOGITS, 0), atol=1e-4)


@pytest.mark.parametrize(("name", "kind"), [("m.h5", "TFOpLambda"), ("m.keras", "Functional")])
def test_files_that_only_keras_2_can_load_say_so(name, kind, tmp_path):
    of_keras_2(lambda scores: tf.nn.relu(scores)).save(tmp_path / name)
    with pytest.raises(InputError, match=f"of class {kind}, which Keras 2 alone can load"):
        serving.load(tmp_path / name, examples=EXAMPLES)


@pytest.mark.parametrize("name", ["[1]", "back\\slash"])
def test_a_path_is_no_pattern(name, tmp_path):
    serving.export(network(), tmp_path / name)
    assert_same_model(serving.load(tmp_path / name, examples=EXAMPLES))


def test_a_version_of_a_model_is_found(tmp_path):
    for version in (2, 10):
        (tmp_path / str(version)).mkdir()
        (tmp_path / str(version) / "saved_model.pb").touch()
    assert model_location(tmp_path) == tmp_path / "10"
    assert model_location(pathlib.Path("model.keras")) == pathlib.Path("model.keras")


TWINS = {
    "a version and its parent": ("x/serving", "x/serving/1"),
    "a way round": ("x/serving", "x/../x/serving/1"),
    "a link": ("x/serving", "link"),
    "a link to a file": ("x/model.keras", "link.keras"),
}


@pytest.mark.parametrize("case", TWINS)
def test_one_model_under_two_names_is_refused_before_anything_is_loaded(case, tmp_path):
    (tmp_path / "x" / "serving" / "1").mkdir(parents=True)
    (tmp_path / "x" / "serving" / "1" / "saved_model.pb").touch()
    (tmp_path / "x" / "model.keras").touch()
    (tmp_path / "link").symlink_to(tmp_path / "x" / "serving")
    (tmp_path / "link.keras").symlink_to(tmp_path / "x" / "model.keras")
    models = tuple(str(tmp_path / name) for name in TWINS[case])
    config = EvaluateConfig(models=models, dataset=str(tmp_path / "none.npz"))
    with pytest.raises(InputError, match="every model once; received .* which are the same"):
        evaluation.evaluate(config)


@pytest.mark.parametrize("name", ["loop", "n" * 300])
def test_a_path_that_leads_nowhere_is_one_line(tmp_path, name):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    config = EvaluateConfig(models=(str(tmp_path / name),))
    with pytest.raises(InputError, match="a SavedModel directory, .* received (nothing|what is)"):
        evaluation.evaluate(config)

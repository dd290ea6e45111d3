"""Models that answer in a single column, in several outputs, or at random."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from stranger_network import (
    BIAS,
    EXAMPLES,
    IMAGES,
    LOGITS,
    SHAPE,
    WEIGHTS,
    assert_same_model,
    dense,
    network,
    scores,
)

from robust_keras import serving
from robust_keras.errors import InputError


def one_column(activation):
    images = keras.Input(SHAPE)
    kernel = WEIGHTS[:, 1:2] - WEIGHTS[:, :1]
    bias = BIAS[1:2] - BIAS[:1]
    return keras.Model(images, dense(images, kernel, bias, activation=activation))


@pytest.mark.parametrize(("activation", "kind"), [(None, "logits"), ("sigmoid", "probabilities")])
def test_one_column_is_two_classes(activation, kind):
    classifier = serving.from_keras(one_column(activation), examples=EXAMPLES)
    assert (classifier.num_classes, classifier.output_kind) == (2, kind)
    expected = np.stack([np.zeros(120), LOGITS[:, 1] - LOGITS[:, 0]], axis=1)
    np.testing.assert_allclose(classifier.logits(IMAGES), expected, atol=1e-4)


def test_a_handmade_sigmoid_is_undone_by_logarithms():
    def by_hand(values):
        return 1.0 / (1.0 + keras.ops.exp(-values))

    images = keras.Input(SHAPE)
    model = keras.Model(images, by_hand(one_column(None)(images)))
    classifier = serving.from_keras(model, examples=EXAMPLES)
    assert classifier.num_classes == 2
    found, expected = np.diff(classifier.logits(IMAGES))[:, 0], LOGITS[:, 1] - LOGITS[:, 0]
    # Beyond that float32 has rounded the probability to 1.
    seen = expected < 8.0
    np.testing.assert_allclose(found[seen], expected[seen], rtol=1e-2, atol=1e-2)


def test_a_sigmoid_for_each_class_is_taken_out():
    model = network(after=keras.layers.Activation("sigmoid"))
    classifier = serving.from_keras(model, examples=EXAMPLES)
    assert classifier.output_kind == "probabilities"
    assert_same_model(classifier)


@pytest.mark.parametrize("activation", ["linear", "softmax", "log_softmax"])
def test_axes_of_one_pixel_are_left_aside(activation):
    def after(logits):
        return keras.layers.Activation(activation)(keras.layers.Reshape((1, 1, 4))(logits))

    classifier = serving.from_keras(network(after=after), examples=EXAMPLES)
    found = classifier.logits(IMAGES)
    np.testing.assert_allclose(tf.nn.softmax(found), tf.nn.softmax(LOGITS), atol=1e-5)
    assert classifier.num_classes == 4


def two_heads():
    images = keras.Input(SHAPE)
    other = keras.layers.Dense(4, name="other")(keras.layers.Flatten()(images))
    return keras.Model(images, {"digit": scores(images), "style": other})


def test_of_several_outputs_one_is_named():
    with pytest.raises(InputError, match="=digit or --output=style.*received outputs 'digit'.*"):
        serving.from_keras(two_heads(), examples=EXAMPLES)
    assert_same_model(serving.from_keras(two_heads(), examples=EXAMPLES, output="digit"))
    with pytest.raises(InputError, match="--output=nine: expected digit or style"):
        serving.from_keras(two_heads(), examples=EXAMPLES, output="nine")


def test_the_only_output_with_a_column_for_each_class_is_taken_and_said():
    images = keras.Input(SHAPE)
    other = keras.layers.Dense(3, name="style")(keras.layers.Flatten()(images))
    classifier = serving.from_keras(keras.Model(images, [other, scores(images)]), examples=EXAMPLES)
    assert "output 'scores' is attacked: it alone has 4 columns" in classifier.notes[0]
    assert_same_model(classifier)


def test_randomness_that_a_model_would_be_served_with_stays(tmp_path):
    images = keras.Input(SHAPE)
    model = keras.Model(images, scores(keras.layers.Dropout(0.5)(images, training=True)))
    model.export(tmp_path / "export", verbose=False)
    model.save(tmp_path / "model.keras")
    for path in (tmp_path / "export", tmp_path / "model.keras"):
        assert not serving.load(path, examples=EXAMPLES).deterministic
    off = keras.Model(images, scores(keras.layers.Dropout(0.5)(images)))
    assert serving.from_keras(off, examples=EXAMPLES).deterministic


@pytest.mark.parametrize("front", [keras.layers.RandomFlip, lambda: keras.layers.Resizing(8, 8)])
def test_layers_for_training_in_front_do_not_make_the_rest_train(front, tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            front(),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ]
    )
    images = np.random.default_rng(0).uniform(size=(16, 8, 8, 1)).astype("float32")
    expected = model(images, training=False)
    served = serving.load(serving.export(model, tmp_path / "serving"))
    for classifier in (served, serving.from_keras(model)):
        np.testing.assert_allclose(classifier.logits(images), expected, atol=1e-5)

"""Models that take images in another shape, as other numbers, or by another function."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from stranger_network import (
    BIAS,
    EXAMPLES,
    GENERATOR,
    IMAGES,
    LOGITS,
    SHAPE,
    WEIGHTS,
    assert_same_model,
    gradient,
    network,
    scores,
)

from robust_keras import serving
from robust_keras.errors import InputError

LAYOUTS = {
    "channels first": ((1, 6, 5), keras.layers.Permute((2, 3, 1)), "channels first"),
    "no channel": ((6, 5), keras.layers.Reshape(SHAPE), "without an axis for the channel"),
    "one row": ((30,), keras.layers.Reshape(SHAPE), "as one row of 30 pixels"),
    "open sides": ((1, None, None), keras.layers.Reshape(SHAPE), "channels first"),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_other_shapes_are_read_in_the_only_possible_way_and_said(case):
    shape, before, said = LAYOUTS[case]
    classifier = serving.from_keras(network(shape, before), examples=EXAMPLES)
    assert said in classifier.notes[0] and len(classifier.notes) == 1
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=1e-4)
    np.testing.assert_allclose(gradient(classifier), gradient(serving.from_keras(network())))


@pytest.mark.parametrize("shape", [(7, 5, 1), (6, 5, 3), (31,), (5, 6), (3, 6, 5)])
def test_shapes_that_cannot_be_these_images_are_refused_in_one_line(shape):
    images = keras.Input(shape)
    model = keras.Model(images, keras.layers.Dense(4)(keras.layers.Flatten()(images)))
    with pytest.raises(InputError) as caught:
        serving.from_keras(model, examples=EXAMPLES)
    text = str(caught.value)
    assert "a model of (6, 5, 1) images, as in patterns" in text and "and give that" in text


def test_rows_of_colours_have_two_orders_so_they_are_refused():
    images = GENERATOR.uniform(size=(20, 4, 4, 3)).astype("float32")
    inputs = keras.Input((48,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    with pytest.raises(InputError, match="put what makes it of an image into the model"):
        serving.from_keras(model, examples=serving.Examples(images, np.zeros(20, int), 2))


def of_bytes(shape, dtype):
    """A SavedModel's module that takes whole numbers in 0..255."""
    module = tf.Module()
    module.kernel, module.bias = tf.Variable(WEIGHTS), tf.Variable(BIAS)

    def answer(pixels):
        images = tf.image.convert_image_dtype(tf.reshape(pixels, (-1, 30)), tf.float32)
        if dtype is not tf.uint8:
            images = tf.cast(tf.reshape(pixels, (-1, 30)), tf.float32) / 255.0
        return tf.nn.softmax(images @ module.kernel + module.bias)

    spec = tf.TensorSpec((None, *shape), dtype, name="pixels")
    module.answer = tf.function(answer, input_signature=[spec])
    return module


@pytest.mark.parametrize("shape", [SHAPE, (30,)])
@pytest.mark.parametrize("dtype", [tf.uint8, tf.int32])
def test_models_of_bytes_are_asked_as_they_are_and_have_a_gradient(shape, dtype, tmp_path):
    module = of_bytes(shape, dtype)
    tf.saved_model.save(module, str(tmp_path), signatures=module.answer)
    classifier = serving.load(tmp_path, examples=EXAMPLES)
    assert classifier.gradient_error is None and classifier.pixels == "0..255"
    assert "gradients go straight through the rounding" in " ".join(classifier.notes)
    assert_same_model(classifier)
    # Between two bytes nothing changes, but the way to the next one is known.
    between = IMAGES[:8] + np.float32(0.3 / 255)
    np.testing.assert_allclose(classifier.logits(between), LOGITS[:8], atol=1e-4)
    np.testing.assert_allclose(gradient(classifier, between), gradient(classifier), atol=1e-6)


def test_keras_models_of_bytes_are_taken_too():
    classifier = serving.from_keras(
        network(before=keras.layers.Rescaling(1 / 255.0), dtype="uint8"), examples=EXAMPLES
    )
    assert_same_model(classifier)


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_floats_of_any_width_are_taken(dtype):
    classifier = serving.from_keras(network(dtype=dtype), examples=EXAMPLES)
    assert_same_model(classifier, 0.5 if dtype == "float16" else 1e-4)


def test_several_inputs_are_refused_with_what_to_do():
    images, age = keras.Input(SHAPE), keras.Input((1,))
    together = keras.layers.Concatenate()([scores(images), age])
    model = keras.Model([images, age], keras.layers.Dense(4)(together))
    with pytest.raises(InputError, match="fix its other inputs inside a model of the image alone"):
        serving.from_keras(model, examples=EXAMPLES)


def test_an_input_with_a_name_in_a_dict_is_one_input():
    images = keras.Input(SHAPE, name="picture")
    model = keras.Model({"picture": images}, scores(images))
    assert_same_model(serving.from_keras(model, examples=EXAMPLES))


def signatures(**functions):
    """A module whose signatures are functions of images, or of text where the name says so."""
    module = tf.Module()
    module.kernel, module.bias = tf.Variable(WEIGHTS), tf.Variable(BIAS)

    def answer(images):
        return {"scores": tf.reshape(images, (-1, 30)) @ module.kernel + module.bias}

    def of_text(text):
        return answer(tf.io.decode_raw(text, tf.float32))

    kinds = {
        "images": (answer, tf.TensorSpec((None, *SHAPE), tf.float32, name="images")),
        "text": (of_text, tf.TensorSpec((None,), tf.string, name="text")),
    }
    made = {}
    for name, kind in functions.items():
        function, spec = kinds[kind]
        made[name] = tf.function(function, input_signature=[spec])
    module.functions = made
    return module, made


def test_the_signature_of_images_is_taken_where_the_default_takes_text(tmp_path):
    module, made = signatures(serving_default="text", floats="images")
    tf.saved_model.save(module, str(tmp_path), signatures=made)
    classifier = serving.load(tmp_path, examples=EXAMPLES)
    assert "signature 'floats' is attacked: 'serving_default'" in classifier.notes[0]
    assert_same_model(classifier)


def test_of_several_signatures_one_is_named(tmp_path):
    module, made = signatures(one="images", two="images")
    tf.saved_model.save(module, str(tmp_path), signatures=made)
    with pytest.raises(InputError, match="=one or --output=two.*received signatures one, two"):
        serving.load(tmp_path, examples=EXAMPLES)
    assert_same_model(serving.load(tmp_path, examples=EXAMPLES, output="two"))


def standardised(guard):
    @keras.saving.register_keras_serializable("test_stranger_readings")
    class Standardise(keras.layers.Layer):
        def call(self, images):
            mean, variance = tf.nn.moments(images, [1, 2, 3], keepdims=True)
            return (images - mean) / (tf.sqrt(variance) + guard)

    return network(before=Standardise(), after=keras.layers.Softmax())


def test_images_that_give_nan_decide_nothing_and_are_said():
    plain, guarded = (serving.from_keras(standardised(g), examples=EXAMPLES) for g in (0.0, 1e-6))
    assert plain.output_kind == guarded.output_kind == "probabilities"
    np.testing.assert_allclose(plain.logits(IMAGES), guarded.logits(IMAGES), rtol=1e-3, atol=1e-3)
    assert "3 of 3 images of one colour" in plain.notes[0] and not guarded.notes


def test_open_sizes_are_tried_at_the_size_of_the_images():
    images = hidden = keras.Input((None, None, 3))
    for _ in range(5):
        hidden = keras.layers.Conv2D(4, 3, strides=2)(hidden)
    model = keras.Model(images, keras.layers.Dense(5)(keras.layers.GlobalMaxPooling2D()(hidden)))
    pictures = GENERATOR.uniform(size=(4, 80, 70, 3)).astype("float32")
    examples = serving.Examples(pictures, np.arange(4), 5)
    for known in (examples, None):
        classifier = serving.from_keras(model, examples=known)
        assert classifier.gradient_error is None and classifier.deterministic
    assert np.isfinite(classifier.logits(pictures)).all()

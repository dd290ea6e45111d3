"""Models that take other pixels, other shapes and other numbers than images in [0, 1]."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import serving
from robust_keras.errors import InputError
from robust_keras.serving import pixel_choice
from robust_keras.serving.load import model_location

SHAPE = 6, 5, 1
GENERATOR = np.random.default_rng(0)
# Bytes, so that a model of bytes can be asked the same.
IMAGES = (GENERATOR.integers(0, 256, (120, *SHAPE)) / 255.0).astype("float32")
# As of a trained network with biases: other pixels change its answers.
WEIGHTS = (3.0 * GENERATOR.normal(size=(30, 4))).astype("float32")
BIAS = -(IMAGES.reshape(-1, 30) @ WEIGHTS).mean(axis=0)
LOGITS = IMAGES.reshape(-1, 30) @ WEIGHTS + BIAS
LABELS = LOGITS.argmax(axis=1)
EXAMPLES = serving.Examples(IMAGES, LABELS, 4, "patterns")


def dense(images, weights, bias, **settings):
    layer = keras.layers.Dense(len(bias), **settings)
    answers = layer(keras.layers.Flatten()(images))
    layer.set_weights([weights, bias])
    return answers


def scores(images):
    return dense(images, WEIGHTS, BIAS, name="scores")


def network(shape=SHAPE, before=lambda images: images, after=lambda logits: logits, dtype=None):
    images = keras.Input(shape, dtype=dtype)
    return keras.Model(images, after(scores(before(images))))


def gradient(classifier, images=IMAGES[:8]):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(classifier.logits(images)[:, 1])
    return tape.gradient(total, images).numpy()


def assert_same_model(classifier, tolerance=1e-4):
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=tolerance)
    plain = serving.from_keras(network())
    np.testing.assert_allclose(gradient(classifier), gradient(plain), atol=tolerance)
    assert classifier.image_shape == SHAPE


PIXELS = {
    "0..255": keras.layers.Rescaling(1 / 255.0),
    "-1..1": keras.layers.Rescaling(0.5, 0.5),
}


@pytest.mark.parametrize("pixels", PIXELS)
@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_other_pixels_are_found_and_said(pixels, form, tmp_path):
    model = network(before=PIXELS[pixels])
    if form == "keras":
        classifier = serving.from_keras(model, examples=EXAMPLES)
    else:
        model.export(tmp_path, verbose=False)
        classifier = serving.load(tmp_path, examples=EXAMPLES)
    assert classifier.pixels == pixels
    assert f"It takes pixels in {pixels}: 100.0% of 120 clean images right" in classifier.notes[0]
    assert_same_model(classifier)


def test_pixels_of_caffe_are_blue_first_and_without_means():
    means = np.float32([103.939, 116.779, 123.68])
    images = GENERATOR.uniform(size=(100, 4, 4, 3)).astype("float32")
    weights = GENERATOR.normal(size=(48, 3)).astype("float32")
    own = (images[..., ::-1] * 255 - means).reshape(-1, 48)
    labels = (own @ weights).argmax(axis=1)
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, dense(inputs, weights, np.zeros(3, "float32")))
    classifier = serving.from_keras(model, examples=serving.Examples(images, labels, 3))
    assert classifier.pixels == "caffe"
    np.testing.assert_allclose(classifier.logits(images), own @ weights, rtol=1e-3, atol=1e-2)


def test_what_is_said_is_not_tried():
    told = serving.from_keras(network(before=PIXELS["0..255"]), examples=EXAMPLES, pixels="0..1")
    assert (told.pixels, told.notes) == ("0..1", ())
    plain = serving.from_keras(network(), examples=EXAMPLES, pixels="-1..1")
    np.testing.assert_allclose(plain.logits((IMAGES + 1) / 2), LOGITS, atol=1e-4)
    with pytest.raises(InputError, match=r"--model_pixels=caffe: expected auto or 0\.\.1 .*1 chan"):
        serving.from_keras(network(), examples=EXAMPLES, pixels="caffe")


def test_an_export_of_ours_takes_pixels_in_0_to_1_whatever_would_look_better(tmp_path):
    serving.export(network(before=PIXELS["0..255"]), tmp_path)
    assert serving.load(tmp_path, examples=EXAMPLES).pixels == "0..1"
    (tmp_path / "config.json").write_text('{"activation": "relu", "dataset": "x", "model": "fc5"}')
    network(before=PIXELS["0..255"]).save(tmp_path / "model.keras")
    assert serving.load(tmp_path / "model.keras", examples=EXAMPLES).pixels == "0..1"


CHOICES = {  # right answers of (0..1, another) on so many images -> whether the other is taken
    "no better": ((50, 50), False),
    "a little better, on few images": ((50, 58), False),
    "much better": ((50, 80), True),
    "better by luck": ((0, 5), False),
    "already good": ((97, 100), False),
}


@pytest.mark.parametrize("case", CHOICES)
def test_pixels_change_only_where_luck_is_out_of_the_question(case):
    (first, other), taken = CHOICES[case]
    total = 5 if case == "better by luck" else 100
    answers = {"0..1": np.arange(total) < first, "0..255": np.arange(total) < other}
    found = pixel_choice.choose_pixels(("0..1", "0..255"), answers.get)
    assert (found.pixels == "0..255") == taken
    assert bool(found.note) == (taken or case == "better by luck")


def test_the_number_of_images_that_differ_decides_not_the_gain_alone():
    # 30 of 100 images only the one gets right, 20 only the other: a fair coin does that.
    first, other = np.arange(100) < 50, (np.arange(100) >= 30) & (np.arange(100) < 92)
    answers = {"0..1": first, "0..255": other}
    assert pixel_choice.choose_pixels(("0..1", "0..255"), answers.get).pixels == "0..1"


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
    with pytest.raises(InputError, match="--output=digit; received outputs 'digit'.*'style'"):
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
    with pytest.raises(InputError, match="--output=one; received signatures one, two"):
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


def test_randomness_that_a_model_would_be_served_with_stays(tmp_path):
    images = keras.Input(SHAPE)
    model = keras.Model(images, scores(keras.layers.Dropout(0.5)(images, training=True)))
    model.export(tmp_path / "export", verbose=False)
    model.save(tmp_path / "model.keras")
    for path in (tmp_path / "export", tmp_path / "model.keras"):
        assert not serving.load(path, examples=EXAMPLES).deterministic
    off = keras.Model(images, scores(keras.layers.Dropout(0.5)(images)))
    assert serving.from_keras(off, examples=EXAMPLES).deterministic


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


def test_a_version_of_a_model_is_found(tmp_path):
    for version in (2, 10):
        (tmp_path / str(version)).mkdir()
        (tmp_path / str(version) / "saved_model.pb").touch()
    assert model_location(tmp_path) == tmp_path / "10"
    assert model_location(pathlib.Path("model.keras")) == pathlib.Path("model.keras")

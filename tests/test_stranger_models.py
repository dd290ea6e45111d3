"""SavedModels that plain TensorFlow wrote, with other names, other outputs and other faults."""

import os

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from robust_keras import serving
from robust_keras.errors import InputError
from robust_keras.serving import saved_model_edit
from robust_keras.serving.views import scores

IMAGES = np.random.default_rng(0).uniform(size=(5, 4, 4, 1)).astype("float32")
WEIGHTS = np.random.default_rng(1).normal(size=(16, 3)).astype("float32")
LOGITS = IMAGES.reshape(5, 16) @ WEIGHTS


def spec(*shape, dtype=tf.float32, name="blob_7"):
    return tf.TensorSpec(shape, dtype, name=name)


IMAGE_SPEC = spec(None, 4, 4, 1)


class Stranger(tf.Module):
    """A linear model whose signature is `answer(logits, images)`."""

    def __init__(self, answer, input_spec=IMAGE_SPEC, scale=1.0):
        super().__init__()
        self.weights = tf.Variable(WEIGHTS * scale, name="w")
        self.inner = tf.function(self._scores)

        def predict(blob_7):
            images = tf.cast(blob_7, tf.float32)
            return answer(self.inner(images), images)

        self.predict = tf.function(predict, input_signature=[input_spec])

    def _scores(self, images):
        return tf.reshape(images, (-1, 16)) @ self.weights


def saved(directory, answer, input_spec=IMAGE_SPEC, scale=1.0, options=None, name=None):
    module = Stranger(answer, input_spec, scale)
    signatures = {name or "serving_default": module.predict}
    tf.saved_model.save(module, str(directory), signatures=signatures, options=options)
    return directory


def probabilities(scores, _):
    return tf.nn.softmax(scores)


def handmade_probabilities(scores, _):
    powers = tf.exp(scores - tf.reduce_max(scores, axis=-1, keepdims=True))
    return powers / tf.reduce_sum(powers, axis=-1, keepdims=True)


def gradient(classifier, images=IMAGES):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = classifier.logits(images)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits([2] * len(images), logits)
    return tape.gradient(loss, images).numpy()


OUTPUTS = {
    "logits": (lambda s, _: s, "logits"),
    "odd name": (lambda s, _: {"Ünïcode-0": s}, "logits"),
    "float64": (lambda s, _: tf.cast(s, tf.float64), "logits"),
    "with classes": (lambda s, _: {"c": tf.argmax(s, -1), "s": s}, "logits"),
    "with features": (lambda s, x: {"features": x, "s": s}, "logits"),
    "logits by name": (lambda s, _: {"a_features": s[:, :2], "My_Logits": s}, "logits"),
    "logits beside probabilities": (lambda s, _: {"a": tf.nn.softmax(s), "b": s}, "logits"),
    "probabilities": (probabilities, "probabilities"),
    "probabilities and embedding": (
        lambda s, x: {"p": tf.nn.softmax(s), "e": tf.reshape(x, (-1, 16))},
        "probabilities",
    ),
    "half precision probabilities": (
        lambda s, _: tf.cast(tf.nn.softmax(tf.cast(s, tf.float16)), tf.float32),
        "probabilities",
    ),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_outputs_of_many_kinds_become_logits(case, tmp_path):
    answer, kind = OUTPUTS[case]
    classifier = serving.load(saved(tmp_path, answer))
    assert (classifier.format, classifier.output_kind) == ("saved_model", kind)
    assert (classifier.image_shape, classifier.num_classes) == ((4, 4, 1), 3)
    assert (classifier.parameters, classifier.gradient_error) == (48, None)
    tolerance = 1e-2 if "half" in case else 1e-5
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=tolerance)


def test_saturated_probabilities_keep_every_logit_and_gradient(tmp_path):
    # Margins of a thousand and more: the probabilities are exactly 0 and 1.
    plain = serving.load(saved(tmp_path / "plain", lambda s, _: s, scale=1000.0))
    soft = serving.load(saved(tmp_path / "soft", probabilities, scale=1000.0))
    loaded = tf.saved_model.load(str(tmp_path / "soft"))
    served = loaded.signatures["serving_default"](blob_7=IMAGES)["output_0"]
    assert set(np.unique(served)) == {0.0, 1.0}
    np.testing.assert_allclose(soft.logits(IMAGES), LOGITS * 1000.0, rtol=1e-4)
    np.testing.assert_allclose(gradient(soft), gradient(plain), rtol=1e-4, atol=1e-4)


def test_probabilities_without_a_softmax_operation_are_undone_by_the_logarithm(tmp_path):
    classifier = serving.load(saved(tmp_path, handmade_probabilities))
    assert classifier.output_kind == "probabilities"
    expected = LOGITS - np.log(np.exp(LOGITS).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(classifier.logits(IMAGES), expected, atol=1e-4)
    plain = serving.load(saved(tmp_path / "plain", lambda s, _: s))
    np.testing.assert_allclose(gradient(classifier), gradient(plain), atol=1e-5)


def test_logarithm_keeps_gradients_at_probabilities_zero_and_one():
    values = tf.constant([[0.0, 1.0, 1e-40, 0.5]])
    with tf.GradientTape() as tape:
        tape.watch(values)
        logits = scores.log_probabilities(values)
    slopes = tape.gradient(logits, values).numpy()
    np.testing.assert_allclose(logits[0], [np.log(1e-30), 0, np.log(1e-30), np.log(0.5)], rtol=1e-6)
    np.testing.assert_allclose(slopes[0], [1e30, 1.0, 1e30, 2.0], rtol=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 8])
@pytest.mark.parametrize("answer", [lambda s, _: s, probabilities])
def test_fixed_batch_sizes_take_any_number_of_images(batch, answer, tmp_path):
    classifier = serving.load(saved(tmp_path, answer, spec(batch, 4, 4, 1)))
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=1e-5)
    np.testing.assert_allclose(classifier.logits(IMAGES[:1]), LOGITS[:1], atol=1e-5)
    free = serving.load(saved(tmp_path / "free", answer))
    assert classifier.gradient_error is None
    np.testing.assert_allclose(gradient(classifier), gradient(free), atol=1e-6)


def test_signature_named_logits_comes_first_and_only_if_it_fits(tmp_path):
    good, other = Stranger(lambda s, _: s), Stranger(lambda s, _: -s)
    good.other = other
    words = tf.function(
        lambda text: tf.strings.length(text), input_signature=[spec(None, dtype=tf.string)]
    )
    good.words = words
    both = {"serving_default": other.predict, "logits": good.predict}
    tf.saved_model.save(good, str(tmp_path / "a"), signatures=both)
    foreign = {"serving_default": good.predict, "logits": words}
    tf.saved_model.save(good, str(tmp_path / "b"), signatures=foreign)
    for name in ("a", "b"):
        np.testing.assert_allclose(serving.load(tmp_path / name).logits(IMAGES), LOGITS, atol=1e-5)


def test_only_signature_is_taken_whatever_its_name(tmp_path):
    classifier = serving.load(saved(tmp_path, lambda s, _: s, name="classify_it"))
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=1e-5)


class Callable(tf.Module):
    """A model without signatures, traced once for training and once for inference."""

    def __init__(self, final):
        super().__init__()
        self.weights = tf.Variable(WEIGHTS)
        self.final = final

    @tf.function
    def __call__(self, images, training=False):
        scores = tf.reshape(images, (-1, 16)) @ self.weights
        return self.final(-scores if training else scores)


@pytest.mark.parametrize("final", [tf.identity, tf.nn.softmax])
def test_root_object_serves_where_there_is_no_signature(final, tmp_path):
    module = Callable(final)
    for training in (True, False):
        module.__call__.get_concrete_function(spec(None, 4, 4, 1), training=training)
    tf.saved_model.save(module, str(tmp_path), signatures={})
    classifier = serving.load(tmp_path)
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=1e-5)
    assert classifier.gradient_error is None


@pytest.mark.parametrize("final", ["softmax", None])
def test_models_that_keras_2_saved_are_taken(final, tmp_path):
    network = tf_keras.Sequential(
        [
            tf_keras.layers.InputLayer((4, 4, 1)),
            tf_keras.layers.Conv2D(3, 3, activation="swish"),
            tf_keras.layers.BatchNormalization(),
            tf_keras.layers.Dropout(0.5),
            tf_keras.layers.Flatten(),
            tf_keras.layers.Dense(3, activation=final),
        ]
    )
    network.save(tmp_path, save_format="tf")
    classifier = serving.load(tmp_path)
    assert classifier.parameters == network.count_params()
    assert classifier.deterministic and classifier.gradient_error is None
    answers = classifier.logits(IMAGES)
    answers = tf.nn.softmax(answers) if final else answers
    np.testing.assert_allclose(answers, network.predict_on_batch(IMAGES), atol=1e-5)


def test_open_image_sizes_stay_open(tmp_path):
    module = tf.Module()
    module.kernel = tf.Variable(tf.random.stateless_normal((3, 3, 1, 4), [1, 2]))
    serve = tf.function(
        lambda x: tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(x, module.kernel, 1, "SAME")), [1, 2]),
        input_signature=[spec(None, None, None, 1)],
    )
    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    classifier = serving.load(tmp_path)
    assert classifier.image_shape == (None, None, 1)
    assert classifier.logits(np.zeros((2, 9, 7, 1), "float32")).shape == (2, 4)


@tf.custom_gradient
def steep(values):
    return values, lambda upstream: 3.0 * upstream


def silu_of_old(values):
    """tf.nn.silu as TensorFlow 2.3 wrote it: an IdentityN that names a gradient."""

    @tf.custom_gradient
    def inner(features):
        sigmoid = tf.sigmoid(features)
        return features * sigmoid, lambda up: up * (sigmoid * (1 + features * (1 - sigmoid)))

    return inner(values)


LOST = tf.saved_model.SaveOptions(experimental_custom_gradients=False)


@pytest.mark.parametrize("operation", [steep, silu_of_old])
def test_where_a_gradient_was_lost_that_of_the_value_is_used_and_said(operation, tmp_path, caplog):
    path = saved(tmp_path / "lost", lambda s, _: operation(s), options=LOST)
    value = tf.identity if operation is steep else tf.nn.silu
    plain = serving.load(saved(tmp_path / "plain", lambda s, _: value(s)))
    caplog.clear()
    classifier = serving.load(path)
    assert classifier.gradient_error is None and not caplog.records
    np.testing.assert_allclose(classifier.logits(IMAGES), operation(LOGITS), atol=1e-5)
    np.testing.assert_allclose(gradient(classifier), gradient(plain), rtol=1e-4, atol=1e-5)
    (sentence,) = classifier.notes
    assert "gradient of IdentityN was not saved" in sentence and "agrees with finite" in sentence
    assert not plain.notes


@tf.custom_gradient
def rounded(values):
    return tf.round(values * 8) / 8, lambda upstream: upstream


def test_a_gradient_that_finite_differences_do_not_confirm_is_said(tmp_path):
    path = saved(tmp_path, lambda s, _: rounded(s), options=LOST)
    classifier = serving.load(path)
    assert classifier.gradient_error is None
    assert "do not confirm it" in classifier.notes[0] and "may be blind" in classifier.notes[0]


@tf.custom_gradient
def remainder(values):
    return tf.raw_ops.TruncateMod(x=values, y=100.0), lambda upstream: upstream


def test_gradients_that_nobody_knows_are_reported_and_never_raised(tmp_path):
    path = saved(tmp_path, lambda s, _: remainder(s), options=LOST)
    classifier = serving.load(path)
    assert "gradient was not saved" in classifier.gradient_error
    assert "TruncateMod" in classifier.gradient_error and "\n" not in classifier.gradient_error


def test_saved_custom_gradients_work(tmp_path):
    plain = serving.load(saved(tmp_path / "plain", lambda s, _: s))
    custom = serving.load(saved(tmp_path / "custom", lambda s, _: steep(s)))
    np.testing.assert_allclose(gradient(custom), 3.0 * gradient(plain), rtol=1e-5)


def test_lost_gradient_never_takes_that_of_another_model(tmp_path):
    # In the process that saved the model its gradient is still registered under the saved name, as
    # another model's may be by chance anywhere else: TensorFlow alone would use it.
    path = saved(tmp_path, lambda s, _: steep(s), options=LOST)
    loaded = tf.saved_model.load(str(path))
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(loaded.signatures["serving_default"](blob_7=images)["output_0"])
    assert tape.gradient(total, images) is not None
    plain = serving.load(saved(tmp_path / "plain", lambda s, _: s))
    np.testing.assert_allclose(gradient(serving.load(path)), gradient(plain), rtol=1e-5)


def test_a_lost_gradient_beside_the_way_to_the_logits_is_no_fault(tmp_path):
    path = saved(tmp_path, lambda s, _: s + tf.stop_gradient(steep(s)), options=LOST)
    assert serving.load(path).gradient_error is None


def test_outputs_cut_off_from_the_image_are_reported(tmp_path):
    classifier = serving.load(saved(tmp_path, lambda s, _: tf.stop_gradient(s)))
    assert "do not depend on the image" in classifier.gradient_error


def test_random_outputs_are_noticed(tmp_path):
    noisy = serving.load(saved(tmp_path / "a", lambda s, _: s + tf.random.normal(tf.shape(s))))
    still = serving.load(saved(tmp_path / "b", lambda s, _: s))
    assert (noisy.deterministic, still.deterministic) == (False, True)


REFUSED = {
    "flat rows": (lambda s, _: s, spec(None, 16), "float32 (None, 16)"),
    "unknown rank": (
        lambda s, _: s,
        tf.TensorSpec(None, tf.float32, name="blob_7"),
        "unknown rank",
    ),
    "classes only": (lambda s, _: tf.argmax(s, -1), IMAGE_SPEC, "int64 (batch)"),
    "one row": (lambda s, _: s[:1], IMAGE_SPEC, "float32 (1, 3)"),
    "two heads": (lambda s, _: {"a": s, "b": s[:, :2]}, IMAGE_SPEC, "'a' float32 (batch, 3), 'b'"),
    "two named heads": (
        lambda s, _: {"logits_a": s, "logits_b": s[:, :2]},
        IMAGE_SPEC,
        "'logits_a' float32 (batch, 3), 'logits_b' float32 (batch, 2)",
    ),
    "fails on its own shape": (
        lambda s, _: tf.ensure_shape(s, (3, 3)),
        IMAGE_SPEC,
        "runs on images of shape (4, 4, 1)",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_models_that_do_not_classify_images_are_refused_in_one_line(case, tmp_path):
    answer, input_spec, text = REFUSED[case]
    path = saved(tmp_path, answer, input_spec)
    with pytest.raises(InputError) as caught:
        serving.load(path)
    assert text in str(caught.value) and "\n" not in str(caught.value)
    assert str(path) in str(caught.value) and "expected" in str(caught.value)


def two_inputs(directory):
    specs = [spec(None, 4, 4, 1, name="a"), spec(None, 4, 4, 1, name="b")]
    function = tf.function(lambda a, b: a + b, input_signature=specs)
    tf.saved_model.save(tf.Module(), str(directory), signatures=function)


def two_signatures(directory):
    module = Stranger(lambda s, _: s)
    names = {"first": module.predict, "second": module.predict}
    tf.saved_model.save(module, str(directory), signatures=names)


def tensorflow_1(directory):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        images = tf.compat.v1.placeholder(tf.float32, (None, 4, 4, 1))
        logits = tf.reshape(images, (-1, 16)) @ WEIGHTS
        tf.compat.v1.saved_model.simple_save(session, str(directory), {"x": images}, {"y": logits})


def no_function(directory):
    module = tf.Module()
    module.weights = tf.Variable(1.0)
    tf.saved_model.save(module, str(directory))


def damaged_graph(directory):
    saved(directory, lambda s, _: s)
    (directory / "saved_model.pb").write_bytes(b"no protocol buffer\xff")


def damaged_variables(directory):
    saved(directory, lambda s, _: s)
    next((directory / "variables").glob("*.index")).write_bytes(b"")


def sequences(directory):
    function = tf.function(lambda x: x[:, 0], input_signature=[spec(None, 7, 5)])
    tf.saved_model.save(tf.Module(), str(directory), signatures=function)


def broken_keras(directory):
    (directory.with_suffix(".keras")).write_bytes(b"PK not a zip")
    return directory.with_suffix(".keras")


def text_file(directory):
    (directory.with_suffix(".txt")).write_text("hello")
    return directory.with_suffix(".txt")


def other_directory(directory):
    (directory / "pictures").mkdir(parents=True)


def link_to_itself(directory):
    directory.symlink_to(directory)


FOREIGN = {
    "two inputs": (two_inputs, "'a' float32 (None, 4, 4, 1), 'b' float32 (None, 4, 4, 1)"),
    "two signatures": (
        two_signatures,
        "name one with --output=first or --output=second); received signatures first, second",
    ),
    "TensorFlow 1": (tensorflow_1, "saved by TensorFlow 1"),
    "no function": (no_function, "without signatures"),
    "damaged graph": (damaged_graph, "damaged saved_model.pb"),
    "damaged variables": (damaged_variables, "that TensorFlow can load"),
    "sequences": (sequences, "float32 (None, 7, 5)"),
    "broken .keras": (broken_keras, "that Keras can load"),
    "text file": (text_file, "another kind of file"),
    "missing": (lambda directory: None, "nothing of that name"),
    "link to itself": (link_to_itself, "what is neither file nor directory"),
    "pipe": (os.mkfifo, "what is neither file nor directory"),
    "empty": (lambda directory: directory.mkdir(), "an empty directory"),
    "other directory": (other_directory, "a directory with pictures"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_things_that_are_no_model_are_refused_in_one_line(case, tmp_path):
    write, text = FOREIGN[case]
    path = write(tmp_path / "it") or tmp_path / "it"
    with pytest.raises(InputError) as caught:
        serving.load(path)
    assert text in str(caught.value) and "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_model_in_the_directory_of_a_run_or_of_nearly_that_name_is_suggested(tmp_path):
    model = saved(tmp_path / "run" / "serving" / "1", probabilities).parent
    for given in (tmp_path / "run", model.with_name("servign")):
        with pytest.raises(InputError) as caught:
            serving.load(given)
        assert f"(did you mean {model}?)" in str(caught.value)


def test_editing_leaves_the_model_as_it_was(tmp_path):
    path = saved(tmp_path, probabilities)
    before = {p: p.read_bytes() for p in path.rglob("*") if p.is_file()}
    serving.load(path)
    assert {p: p.read_bytes() for p in path.rglob("*") if p.is_file()} == before


def test_a_softmax_inside_the_model_is_left_alone(tmp_path):
    # Attention-like: a softmax that is not the last operation must not be taken out.
    path = saved(tmp_path, lambda s, _: tf.nn.softmax(s) * 5.0)
    message = saved_model_edit.read(path)
    assert not saved_model_edit.remove_activation(message, "serving_default", "output_0", "Softmax")

"""Operations that stop or falsify gradients are found by name and place, and opened in a copy."""

import types

import keras
import numpy as np
import pytest
import small_classifier
import tensorflow as tf

from robust_keras import engine, layers, serving
from robust_keras.attacks import PGD, ThreatModel
from robust_keras.serving.views import masking
from robust_keras.serving.views.attacker import preprocessed

IMAGES = small_classifier.digits()[0][:4000:80]


@tf.custom_gradient
def blocked(x):
    return tf.identity(x), tf.zeros_like


@tf.custom_gradient
def chance(x):
    return tf.identity(x), lambda upstream: tf.random.normal(tf.shape(upstream))


@tf.function
def nested(x):
    return blocked(tf.round(x * 50.0) / 50.0)


def bytes_of(x):
    return tf.cast(tf.cast(x * 255.0, tf.uint8), tf.float32) / 255.0


def picture_file(x):
    def one(image):
        data = tf.io.encode_jpeg(tf.cast(image * 255.0, tf.uint8), quality=95)
        return tf.cast(tf.io.decode_jpeg(data), tf.float32) / 255.0

    return tf.ensure_shape(tf.map_fn(one, x), (None, 14, 14, 1))


def codebook(x):
    codes = tf.linspace(0.0, 1.0, 33)
    return tf.gather(codes, tf.argmin(tf.abs(x - codes), axis=-1))[..., tf.newaxis]


def quantised(x):
    codes = tf.quantization.quantize(x, 0.0, 1.0, tf.quint8)
    return tf.quantization.dequantize(*codes)


def either(x):
    coarse = tf.reduce_mean(x) > 0.9
    return tf.cond(coarse, lambda: x, lambda: tf.floor(x * 100.0) / 100.0)


def loud(x):
    return x + 0.01 * tf.sin(1000.0 * x)


def sparse(x):
    return tf.where(tf.abs(x - 0.5) < 0.5, 0.5, x)


def winners(x):
    least = tf.math.top_k(x, 16).values[:, -1:]
    return x * tf.cast(x >= least, x.dtype)


def saturated(logits):
    return tf.tanh(logits * 50.0)


def network(before=lambda x: x, between=lambda x: x, after=lambda x: x):
    """The digits' network, with functions in front of, between and behind its layers."""
    hidden, last = small_classifier.network().layers[-2:]
    inputs = keras.Input((14, 14, 1), name="images")
    x = keras.layers.Lambda(before, name="first")(inputs)
    x = hidden(keras.layers.Flatten()(x))
    x = last(keras.layers.Lambda(between, name="second")(x))
    return keras.Model(inputs, keras.layers.Lambda(after, name="third")(x))


def gradient(classifier):
    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = tf.reduce_sum(classifier.logits(images) * tf.range(10.0))
    return tape.gradient(total, images).numpy()


def robust(classifier):
    labels = np.argmax(classifier.logits(IMAGES), axis=1)
    threat_model, settings = ThreatModel("linf", (0.1,)), {"batch_size": 50, "seed": 0}
    found = engine.evaluate(classifier, IMAGES, labels, [PGD(steps=10)], threat_model, **settings)
    return found.worst_case.mean()


# What is told, and the defence: the first lot leaves the network's gradient as it is.
TRANSPARENT = {
    ("Round in first",): {"before": lambda x: tf.round(x * 255.0) / 255.0},
    ("Cast in first",): {"before": bytes_of},
    ("EncodeJpeg in first",): {"before": picture_file},
    ("ArgMin in first",): {"before": codebook},
    ("QuantizeV2 in first",): {"before": quantised},
    ("Floor in first",): {"before": either},
    ("Sin in first",): {"before": loud},
    ("StopGradient in second",): {"between": tf.stop_gradient},
    ("Custom gradient in second",): {"between": blocked},
    ("Custom gradient in first",): {"before": chance},
    ("Round in first", "Custom gradient in first"): {"before": nested},
}
BENT = {
    ("SelectV2 in second",): {"between": sparse},
    ("Mul in second",): {"between": winners},
    ("Tanh in third",): {"after": saturated},
}


@pytest.mark.parametrize("told", [*TRANSPARENT, *BENT], ids="; ".join)
def test_what_masks_is_named_and_opened_in_a_copy(told):
    classifier = serving.from_keras(network(**(TRANSPARENT | BENT)[told]))
    found = masking.examine(classifier, IMAGES[:8])
    assert tuple(str(operation) for operation in found.masking) == told
    (copy,) = found.copies
    np.testing.assert_array_equal(copy.logits(IMAGES), classifier.logits(IMAGES))
    if told in TRANSPARENT:
        plain = gradient(small_classifier.classifier())
        assert np.linalg.norm(gradient(copy) - plain) < 0.2 * np.linalg.norm(plain)


def test_pgd_on_the_copy_finds_what_it_finds_on_the_undefended_network():
    classifier = serving.from_keras(network(before=bytes_of, between=blocked, after=saturated))
    found = masking.examine(classifier, IMAGES[:8])
    twin = robust(small_classifier.classifier())
    assert robust(classifier) > twin + 0.3
    assert min(map(robust, found.copies)) <= twin + 0.1


def test_a_saved_model_is_told_the_same(tmp_path):
    model = network(before=nested, between=sparse)
    model.export(tmp_path / "model", verbose=False)
    told = [
        [(str(operation), operation.masks) for operation in found.operations]
        for found in (
            masking.examine(serving.from_keras(model), IMAGES[:8]),
            masking.examine(serving.load(tmp_path / "model"), IMAGES[:8]),
        )
    ]
    assert told[0] == told[1]
    assert sum(masks for _, masks in told[0]) == 3


def centred(logits):
    return logits - tf.stop_gradient(tf.reduce_max(logits, axis=1, keepdims=True))


@pytest.mark.parametrize(
    ("behind", "told"),
    [
        ({}, ()),
        ({"after": centred}, ()),
        ({"between": blocked}, ("Custom gradient in second",)),
    ],
    ids=["alone", "before what changes no gradient", "before what stops it"],
)
def test_what_draws_at_random_is_told_and_stays(behind, told):
    noisy = network(before=lambda x: x + 0.1 * tf.random.normal(tf.shape(x)), **behind)
    found = masking.examine(serving.from_keras(noisy), IMAGES[:8])
    chance = [operation for operation in found.masking if operation.kind == "chance"]
    assert [operation.operation for operation in chance] == ["RandomStandardNormal"]
    assert tuple(str(operation) for operation in found.masking if operation not in chance) == told
    assert len(found.copies) == len(told)


HONEST = {
    "relu": tf.nn.relu,
    "relu by a choice": lambda x: tf.where(x > 0.0, x, 0.0),
    "relu by a mask": lambda x: x * tf.cast(x > 0.0, tf.float32),
    "bounded": tf.nn.relu6,
    "silu": tf.nn.silu,
    "kernel activation": layers.KernelActivation(),
    "smooth relu": layers.SmoothReLU(),
    "normalised": keras.layers.BatchNormalization(),
    "straight through by itself": lambda x: x + tf.stop_gradient(tf.round(x * 9.0) / 9.0 - x),
}


@pytest.mark.parametrize("between", HONEST)
def test_an_honest_network_has_nothing_to_open(between):
    classifier = serving.from_keras(network(between=HONEST[between]))
    found = masking.examine(classifier, IMAGES[:8])
    assert not found.error and not found.masking and not found.copies


def test_gradients_without_bound_are_compared():
    """What divides by nothing has infinite ones, whose lengths are too long for a float32."""

    def gradient(images, weights, names):
        return np.full_like(images, np.inf if names else -np.inf)

    network = types.SimpleNamespace(deterministic=True, logits=lambda images: images[:, 0, :10, 0])
    trial = masking._Trial(network, types.SimpleNamespace(gradient=gradient), IMAGES)
    assert trial.change(frozenset(), frozenset({"division"})) == pytest.approx(2.0)


def test_a_graph_that_cannot_be_copied_is_told_in_a_sentence():
    plain = small_classifier.classifier()
    broken = plain.with_logits(
        lambda images: plain.logits(
            tf.raw_ops.MapDefun(
                arguments=[images],
                captured_inputs=[],
                output_types=[tf.float32],
                output_shapes=[(14, 14, 1)],
                f=tf.function(tf.square, [tf.TensorSpec((14, 14, 1))]).get_concrete_function(),
            )[0]
        )
    )
    assert masking.examine(broken).error == "MapDefun runs a function that cannot be looked into."


def test_a_model_of_a_fixed_batch_is_opened_inside_the_loop_around_it(tmp_path):
    model = network(before=bytes_of, between=blocked)
    module = tf.Module()
    module.model = model
    spec = tf.TensorSpec((4, 14, 14, 1), tf.float32, name="images")
    served = tf.function(lambda images: model(images), input_signature=[spec])
    tf.saved_model.save(module, tmp_path / "model", signatures=served)
    classifier = serving.load(tmp_path / "model")
    found = masking.examine(classifier, IMAGES[:8])
    assert [operation.kind for operation in found.masking] == ["cast", "custom gradient"]
    plain = gradient(small_classifier.classifier())
    (copy,) = found.copies
    np.testing.assert_array_equal(copy.logits(IMAGES), classifier.logits(IMAGES))
    assert np.linalg.norm(gradient(copy) - plain) < 0.2 * np.linalg.norm(plain)


def test_a_straight_way_that_is_there_already_is_left_alone():
    guarded = preprocessed(small_classifier.classifier(), bytes_of)
    found = masking.examine(guarded, IMAGES[:8])
    assert found.operations and not found.masking

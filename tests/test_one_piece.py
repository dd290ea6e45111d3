"""A model's function in one piece: the same bits, no calls, and nothing that outlives the model."""

import dataclasses
import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from stranger_network import IMAGES, SHAPE, network

from robust_keras import compiled, layers, serving
from robust_keras.engine.fitting_batch import fitting_batch
from robust_keras.engine.journal import Unrecorded
from robust_keras.serving.surgery.frame import CALLS
from robust_keras.serving.surgery.surgeon import Surgeon, copied


def kernels(logits):
    return keras.layers.Dense(4)(layers.KernelActivation()(logits))


def winners(logits):
    return keras.layers.Dense(4)(layers.KWinnersTakeAll(0.5)(logits))


def exported(path, after=lambda logits: logits):
    keras.utils.set_random_seed(1)
    network(after=after).export(path, verbose=False)
    return serving.load(path)


def answer_and_gradient(logits, images):
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        values = logits(images)
        chosen = values[:, 1]
    return values.numpy(), tape.gradient(chosen, images).numpy()


def calls(function):
    operations = function.get_concrete_function().graph.get_operations()
    return [operation.name for operation in operations if operation.type in CALLS]


@pytest.mark.parametrize("after", [kernels, winners, keras.layers.Softmax()])
def test_a_saved_model_in_one_piece_has_the_same_bits_and_no_calls(tmp_path, after):
    classifier = exported(tmp_path, after)
    for model in (classifier, classifier.at_temperature(3.0)):
        assert calls(model.logits) and not calls(model.in_one_piece)
        own, gradient = answer_and_gradient(model.logits, IMAGES[:20])
        same, other = answer_and_gradient(model.in_one_piece, IMAGES[:20])
        np.testing.assert_array_equal(same, own)
        np.testing.assert_array_equal(other, gradient)
        assert np.any(gradient)


def test_what_depends_on_weights_alone_is_computed_once(tmp_path):
    classifier = exported(tmp_path, kernels)
    settled, concrete = classifier.in_one_piece, classifier.logits.get_concrete_function()
    every = tf.function(
        lambda images: copied(concrete, images, Surgeon()),
        input_signature=[tf.TensorSpec((None, *SHAPE))],
    )
    # The table of a kernel activation takes exponentials of its dictionary, which nobody asks for
    # any more: what is left of them is not on the way to the answer.
    assert needed(every, "Exp") > needed(settled, "Exp")
    assert needed(every, "ReadVariableOp") > needed(settled, "ReadVariableOp") == 0
    changing = dataclasses.replace(classifier, format="keras")
    assert needed(changing.in_one_piece, "ReadVariableOp") > 0, "weights in memory may change"


@pytest.mark.parametrize("number", [1, 3])
def test_what_depends_on_how_many_images_there_are_is_not_taken_for_settled(tmp_path, number):
    classifier = exported(tmp_path, times_their_number)
    taken = classifier.in_one_piece
    assert taken is not classifier.logits
    images = tf.constant(IMAGES[:number])
    np.testing.assert_array_equal(taken(images), classifier.logits(images))


def times_their_number(logits):
    """Logits times the number of images."""
    return keras.layers.Lambda(
        lambda x: x * tf.cast(tf.shape(x)[0], tf.float32), output_shape=(4,)
    )(logits)


def needed(function, kind):
    """How many operations of a kind the output is made of."""
    waiting = [t.op for t in function.get_concrete_function().outputs]
    seen = {}
    while waiting:
        operation = waiting.pop()
        if operation.name not in seen:
            seen[operation.name] = operation.type
            waiting += [t.op for t in operation.inputs]
    return list(seen.values()).count(kind)


def test_what_has_no_call_or_answers_at_random_is_taken_as_it_is(tmp_path):
    plain = serving.from_keras(network())
    assert plain.in_one_piece is plain.logits
    noisy = exported(
        tmp_path, lambda logits: keras.layers.GaussianNoise(1.0)(logits, training=True)
    )
    assert not noisy.deterministic and noisy.in_one_piece is noisy.logits


def test_compiled_graphs_take_it_and_let_the_model_go(tmp_path):
    classifier = exported(tmp_path)
    taken = compiled.graph(classifier, lambda logits, *rest: logits, SHAPE)
    assert taken is classifier.in_one_piece is not classifier.logits
    gone = weakref.ref(classifier)
    del classifier, taken
    gc.collect()
    assert gone() is None


def test_functions_of_many_models_do_not_count_as_one_that_is_traced_anew(tmp_path, caplog):
    path = exported(tmp_path).path
    for _ in range(6):
        model = serving.load(path)
        fitting_batch([model], IMAGES[:4], Unrecorded())
        answer_and_gradient(model.in_one_piece, IMAGES[:2])
    assert "retracing" not in caplog.text

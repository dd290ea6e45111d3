"""--lipschitz: kernels stay orthogonal operators, and no logits change faster than is promised."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import layers, models
from robust_keras.errors import InputError
from robust_keras.inside.convolution import Convolution
from robust_keras.inside.lipschitz_bound import lipschitz_bound
from robust_keras.settings.config import TrainConfig

LIMIT = 2.0
CONVOLUTIONS = {
    "strided": ((4, 4, 2, 6), (9, 8), (2, 2), "SAME"),
    "valid": ((3, 3, 4, 3), (7, 7), (1, 1), "VALID"),
    "gaps": ((5, 4, 3, 8), (11, 9), (2, 3), "VALID"),
}


def moved(constraint, kernel, times=20):
    for _ in range(times):
        kernel = constraint(kernel)
    return kernel.numpy()


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_become_nearly_orthogonal_operators_within_the_limit(name):
    shape, size, strides, padding = CONVOLUTIONS[name]
    kernel = np.random.default_rng(0).normal(size=shape).astype("float32")
    outputs = Convolution(kernel, size, strides, padding).output_size
    constraint = layers.OrthogonalKernel(LIMIT, strides, outputs)
    constraint = keras.constraints.get(keras.constraints.serialize(constraint))
    for times in (1, 20):
        found = moved(constraint, tf.constant(kernel), times)
        operator = Convolution(found.astype(float), size, strides, padding)
        assert operator.norm() <= operator.norm_bound() <= LIMIT
    assert operator.norm() > 0.9 * LIMIT
    changes = np.random.default_rng(1).normal(size=(50, *size, shape[2]))
    before = np.linalg.norm(changes.reshape(50, -1), axis=1)
    after = np.linalg.norm(operator(tf.constant(changes)).numpy().reshape(50, -1), axis=1)
    inputs, results = changes[0].size, operator(tf.constant(changes[:1])).shape.num_elements()
    # What an orthogonal operator of these sizes keeps of a random change.
    expected = LIMIT * np.sqrt(min(1.0, results / inputs))
    np.testing.assert_allclose(np.mean(after / before), expected, rtol=0.3)


def test_dense_kernels_become_orthogonal():
    for shape in ((7, 20), (20, 7)):
        kernel = np.random.default_rng(0).normal(size=shape).astype("float32")
        values = np.linalg.svd(moved(layers.OrthogonalKernel(), tf.constant(kernel)))[1]
        assert np.all(values <= 1.0) and np.all(values > 0.999)


def wildly_trained(activation):
    keras.utils.set_random_seed(0)
    model = models.build(
        "conv_small",
        image_shape=(8, 8, 1),
        num_classes=3,
        activation=activation,
        lipschitz=LIMIT,
        mean=(0.3,),
        variance=(0.1,),
    )
    slopes = [each.slope for each in lipschitz_bound(model).layers if each.slope is not None]
    assert 0.7 < min(slopes) and max(slopes) <= 1.0 + 1e-6
    rng = np.random.default_rng(0)
    optimizer = keras.optimizers.SGD(3.0)
    for _ in range(3):
        # Steps so large that nothing but the constraints can hold the norms.
        weights = model.trainable_variables
        steps = [tf.constant(rng.normal(size=each.shape), tf.float32) for each in weights]
        optimizer.apply(
            [tf.constant(each, tf.float32) for each in steps], model.trainable_variables
        )
    return model, rng.uniform(size=(60, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("activation", ("maxmin", "kaf_relu"))
def test_a_trained_network_keeps_its_lipschitz_constant(activation, tmp_path):
    model, images = wildly_trained(activation)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(images), model(images))
    assert loaded.get_layer("logits").kernel_constraint.limit == LIMIT
    bound = lipschitz_bound(loaded)
    assert 0.3 * LIMIT < bound.l2 <= LIMIT
    assert bound.l2 == pytest.approx(bound.layer_product, rel=1e-4)
    pixels = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        lead = loaded(pixels)[:, 0] - loaded(pixels)[:, 1]
    slopes = np.linalg.norm(tape.gradient(lead, pixels).numpy().reshape(60, -1), axis=1)
    assert 0.0 < slopes.min() and slopes.max() <= np.sqrt(2.0) * bound.l2 * (1.0 + 1e-5)


@pytest.mark.parametrize(
    ("name", "layer"), (("resnet20", "BatchNormalization"), ("alexnet", "MaxPooling2D"))
)
def test_what_cannot_be_held_is_named(name, layer):
    with pytest.raises(InputError, match=f"--lipschitz: expected .* received {layer}"):
        models.build(name, image_shape=(32, 32, 3), num_classes=2, lipschitz=1.0)


@pytest.mark.parametrize(
    ("flags", "text"),
    (
        ({"model": "vgg"}, "--model: expected fc5 or lenet5 or conv_small with --lipschitz=1;"),
        ({"activation": "silu"}, "--activation: expected relu or elu"),
        ({"batch_normalization": True}, "--batch_normalization: expected false"),
        ({"final_sparsity": 0.5}, "--final_sparsity: expected 0 with"),
        ({"activation": "kaf", "kaf_trainable_bandwidth": True}, "--kaf_trainable_bandwidth"),
    ),
)
def test_flags_that_no_limit_follows_are_refused(flags, text):
    with pytest.raises(InputError, match=re.escape(text)):
        TrainConfig(lipschitz=1.0, **flags)


def test_pairs_are_sorted():
    pairs = layers.MaxMin()(tf.constant([[1.0, 5.0, 3.0, -2.0]]))
    np.testing.assert_array_equal(pairs, [[3.0, 5.0, 1.0, -2.0]])
    with pytest.raises(ValueError, match="even number of channels"):
        layers.MaxMin()(tf.zeros((1, 3)))

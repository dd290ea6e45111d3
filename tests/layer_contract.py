"""What every layer must keep: one table of layers and the checks that all of them pass."""

import keras
import numpy as np
import tensorflow as tf

from robust_keras import layers

# Name -> (factory, shape of one example).
CASES = {
    "kaf": (lambda **k: layers.KernelActivation(**k), (4, 4, 6)),
    "kaf_dense": (lambda **k: layers.KernelActivation(initializer="random_normal", **k), (6,)),
    "kaf_free": (
        lambda **k: layers.KernelActivation(
            trainable_dictionary=True, trainable_bandwidth=True, **k
        ),
        (4, 4, 6),
    ),
    "kaf_relu_kernel": (
        lambda **k: layers.KernelActivation(kernel="relu", initializer="random_normal", **k),
        (4, 4, 6),
    ),
    "kaf_softplus_kernel": (lambda **k: layers.KernelActivation(kernel="softplus", **k), (5, 6)),
    "kaf_paired": (
        lambda **k: layers.KernelActivation(paired=True, dictionary_size=6, **k),
        (4, 4, 6),
    ),
    "mrelu": (lambda **k: layers.SymmetricActivation(kind="mrelu", **k), (4, 4, 6)),
    "rbf": (lambda **k: layers.SymmetricActivation(kind="rbf", **k), (6,)),
    "kwta": (lambda **k: layers.KWinnersTakeAll(ratio=0.25, **k), (4, 4, 6)),
    "kwta_per_channel": (
        lambda **k: layers.KWinnersTakeAll(ratio=0.25, per_channel=True, **k),
        (4, 4, 6),
    ),
    "smooth_relu": (lambda **k: layers.SmoothReLU(**k), (4, 4, 6)),
    "maxmin": (lambda **k: layers.MaxMin(**k), (4, 4, 6)),
    "softplus": (
        lambda **k: layers.ParametricSoftplus(trainable_sharpness=True, **k),
        (4, 4, 6),
    ),
    "rejection_rule": (
        lambda **k: layers.RejectionRule(nonsense_classes=2, threshold=0.5, **k),
        (6,),
    ),
    "temperature_softmax": (lambda **k: layers.TemperatureSoftmax(temperature=20.0, **k), (6,)),
}


def images_for(shape, batch=4, scale=2.0, seed=0):
    """Returns a batch of inputs without ties."""
    generator = np.random.default_rng(seed)
    return (scale * generator.standard_normal((batch, *shape))).astype("float32")


def model_of(name, **kwargs):
    """Returns a functional model of unknown batch size that holds the layer alone."""
    factory, shape = CASES[name]
    inputs = keras.Input(shape, name="images")
    return keras.Model(inputs, factory(name="layer", **kwargs)(inputs))


def outputs_and_gradient(function, images, seed=1):
    """Returns the outputs, and the gradient of a fixed random projection of them."""
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.cast(function(images), tf.float32)
        weights = np.random.default_rng(seed).standard_normal(outputs.shape).astype("float32")
        total = tf.reduce_sum(weights * outputs)
    return outputs.numpy(), tape.gradient(total, images).numpy()


def assert_same(first, second, tolerance=1e-5):
    """Compares two pairs of outputs and gradient, relative to their largest element."""
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())


def check_round_trips(name, directory):
    """Checks the config, and the `.keras` file of the layer in a model."""
    model = model_of(name)
    images = images_for(CASES[name][1])
    expected = outputs_and_gradient(model, images)
    layer = model.get_layer("layer")
    rebuilt = type(layer).from_config(layer.get_config())
    assert rebuilt.get_config() == layer.get_config()
    assert expected[0].shape[1:] == layer.compute_output_shape((None, *images.shape[1:]))[1:]
    assert model.output_shape[0] is None
    path = directory / f"{name}.keras"
    model.save(path)
    assert_same(outputs_and_gradient(keras.models.load_model(path), images), expected, 1e-6)


def check_batch_sizes(name):
    """Checks that a compiled model of unknown batch size treats examples one by one."""
    model = model_of(name)
    compiled = tf.function(
        lambda images: model(images, training=False),
        input_signature=[tf.TensorSpec((None, *CASES[name][1]))],
    )
    images = images_for(CASES[name][1], batch=5)
    whole = compiled(images).numpy()
    for part in (slice(0, 1), slice(1, 5)):
        assert_same([compiled(images[part]).numpy()], [whole[part]])


def check_compiled(name):
    """Checks that XLA gives what eager mode gives."""
    model = model_of(name)
    images = images_for(CASES[name][1])
    compiled = tf.function(model, jit_compile=True)
    assert_same(outputs_and_gradient(compiled, images), outputs_and_gradient(model, images), 2e-5)


def check_mixed_precision(name, policy):
    """Checks that a half precision policy rounds the output only."""
    shape = CASES[name][1]
    images = images_for(shape)
    half = model_of(name, dtype=policy)
    full = model_of(name)
    full.set_weights(half.get_weights())
    outputs, gradient = outputs_and_gradient(half, images)
    expected, expected_gradient = outputs_and_gradient(full, images)
    compute_dtype = keras.DTypePolicy(policy).compute_dtype
    assert half(images).dtype == compute_dtype
    assert all(weight.dtype != compute_dtype for weight in half.weights)
    precision = 2e-3 if compute_dtype == "float16" else 1e-2
    np.testing.assert_allclose(outputs, expected, rtol=precision, atol=precision)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=precision, atol=4 * precision)


def check_extreme_inputs(name):
    """Checks that outputs and gradients stay finite where functions like to overflow."""
    model = model_of(name)
    shape = CASES[name][1]
    for images in (
        np.full((2, *shape), 100.0, "float32"),
        np.full((2, *shape), -100.0, "float32"),
        np.zeros((2, *shape), "float32"),
        images_for(shape, scale=50.0),
    ):
        images = tf.constant(images)
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(tf.square(model(images)))
        gradients = tape.gradient(total, [images, *model.trainable_variables])
        assert np.isfinite(total.numpy())
        for gradient in gradients:
            assert np.all(np.isfinite(tf.convert_to_tensor(gradient).numpy()))


def check_not_a_number(name, policy):
    """Checks that NaN in one example reaches its output and its gradient, and no other example."""
    model = model_of(name, dtype=policy)
    images = images_for(CASES[name][1])
    images.reshape(len(images), -1)[0, 1] = np.nan
    images = tf.constant(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = tf.cast(model(images), tf.float32)
        total = tf.reduce_sum(tf.square(outputs))
    for values in (outputs, tape.gradient(total, images)):
        found = np.isnan(values.numpy().reshape(len(values), -1)).any(axis=1)
        assert found.tolist() == [True, *[False] * (len(found) - 1)]

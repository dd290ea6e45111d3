"""Whole networks: forward and back against the CPU, and steps of adversarial training."""

import contextlib
import functools
import math
import statistics

import keras
import numpy as np
import tensorflow as tf
import timing
from training_benchmark import trainer

from accelerator.rows import Row, must
from robust_keras import models

# Of the loss before the first update; TensorFloat-32 in the convolutions of all of them.
TOLERANCES = {"float32": 2e-2, "mixed_bfloat16": 1e-1, "mixed_float16": 3e-2}
STEPS = 5


def rows(settings, group):
    """A row for each network, and one for each kind of step."""
    names = ("fc5",) if settings.smoke else models.MODELS
    against_cpu = [
        Row(group, f"{name}, forward and back", lambda n=name: _network(n)) for name in names
    ]
    return against_cpu + _steps(settings, group)


def _steps(settings, group):
    batch, rounds = (8, 3) if settings.smoke else (128, 7)
    cases = [
        *(("lenet5", "relu", precision, xla) for precision in TOLERANCES for xla in (False, True)),
        ("resnet20", "relu", "float32", False),
        *(("resnet20", "kaf_elu", precision, False) for precision in TOLERANCES),
        ("resnet20", "kaf_elu", "mixed_bfloat16", True),
    ]
    if settings.smoke:
        cases = [("lenet5", "relu", "mixed_bfloat16", False)]
    return [
        Row(
            group,
            f"fast step, {case[0]} {case[1]}, {case[2]}{', XLA' * case[3]}",
            lambda case=case: _step(*case, batch, rounds),
        )
        for case in cases
    ]


def _network(name):
    """Logits and their gradient by the images, beside those in float64 on the CPU."""
    size, channels = (28, 1) if name in ("fc5", "lenet5") else (32, 3)
    images = tf.random.stateless_uniform((16, size, size, channels), (0, 0))
    model = _built(name, images.shape[1:])
    with tf.device("CPU:0"):
        exact = _in_float64(model, images)
        on_cpu = _difference(_built(name, images.shape[1:], model), images, exact)
    with _tensor_float_32(False):
        exact_digits = _difference(model, images, exact)
    with _tensor_float_32(True):
        ten_bits = _difference(model, images, exact)
    # Untrained, a deep network of kernel activations multiplies any rounding until the gradient is
    # chance: what float32 loses on the CPU is what it may lose elsewhere.
    must(
        exact_digits < max(1e-3, 4 * on_cpu),
        f"differs from float64 by {exact_digits:.1e}, on the CPU by {on_cpu:.1e}",
    )
    return {"float32": exact_digits, "TensorFloat-32": ten_bits, "float32 on the CPU": on_cpu}


def _built(name, image_shape, like=None):
    """An untrained network of kernel activations, with the weights of another if one is given."""
    keras.utils.set_random_seed(0)
    model = models.build(name, image_shape=image_shape, num_classes=10, activation="kaf_elu")
    if like is not None:
        model.set_weights(like.get_weights())
    return model


def _in_float64(model, images):
    """Logits and their gradient of a model with the same weights in float64."""
    with _policy("float64"):
        copy = _built(model.name, images.shape[1:], model)
        return _logits_and_gradient(copy, tf.cast(images, "float64"))


def _difference(model, images, exact):
    """The largest difference from what is exact, of logits and their gradient, relative."""
    pairs = zip(_logits_and_gradient(model, images), exact, strict=True)
    return max(float(np.abs(one - truth).max() / np.abs(truth).max()) for one, truth in pairs)


def _logits_and_gradient(model, images):
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = model(images, training=False)
    return logits.numpy(), tape.gradient(logits, images).numpy()


@contextlib.contextmanager
def _tensor_float_32(allowed):
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(allowed)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)


@contextlib.contextmanager
def _policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@functools.cache
def _loss_on_cpu(network, activation, batch):
    with tf.device("CPU:0"):
        return trainer(network, "fast", batch_size=batch, activation=activation)(1)


def _step(network, activation, precision, jit_compile, batch, rounds):
    """The first loss beside that of the CPU; then rounds of steps against standard training."""
    made = {"batch_size": batch, "activation": activation}
    exact = _loss_on_cpu(network, activation, batch)
    with _policy(precision):
        trainers = {
            method: trainer(network, method, jit_compile=jit_compile, **made)
            for method in ("standard", "fast")
        }
    first = trainers["fast"](1)
    difference = abs(first - exact) / exact
    must(difference < TOLERANCES[precision], f"loss {first:.4g}, on the CPU {exact:.4g}")
    seconds = timing.interleaved(
        {name: lambda train=train: train(STEPS) for name, train in trainers.items()}, rounds
    )
    last = trainers["fast"](1)
    must(math.isfinite(last), f"loss {first:.4g} went to {last:.4g}")
    return {
        "ms": 1000 * statistics.median(seconds["fast"]) / STEPS,
        "/ standard": timing.ratios(seconds, "standard")["fast"],
        "loss beside the CPU's": difference,
        "loss": f"{first:.4g} to {last:.4g}",
    }

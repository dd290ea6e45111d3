"""Every layer forward and back, in each precision, with and without XLA; and what it costs."""

import functools
import statistics

import keras
import numpy as np
import tensorflow as tf
import timing
from layer_contract import CASES
from other_forms import BroadcastKAF

from accelerator.rows import Row, must
from robust_keras import layers

# Largest difference from float64 that is taken, over the largest entry: outputs, gradients by
# inputs and weights. Mixed outputs and upstream gradients have eight or eleven bits.
TOLERANCES = {"float32": 1e-4, "mixed_bfloat16": 5e-2, "mixed_float16": 1e-2}
XLA = {"graph": False, "XLA": True}


def rows(settings, group):
    """A row for each layer and precision, with and without XLA."""
    batch, size = (4, 4) if settings.smoke else (64, 32)
    names = ("kaf", "mrelu") if settings.smoke else CASES
    precisions = ("float32", "mixed_float16") if settings.smoke else TOLERANCES
    return [
        Row(group, f"{name}, {precision}", lambda n=name, p=precision: _layer(n, p, batch, size))
        for name in names
        for precision in precisions
    ]


def speed_rows(settings, group):
    """KAF against ReLU and against the broadcast form, one row for each precision."""
    shape = (4, 8, 8, 8) if settings.smoke else (128, 32, 32, 32)
    rounds = 3 if settings.smoke else 15
    return [
        Row(group, f"forward and back, {p}", lambda p=p: _speed(p, shape, rounds))
        for p in ("float32", "mixed_bfloat16")[: 1 if settings.smoke else None]
    ]


def _layer(name, precision, batch, size):
    """Compares the layer on the accelerator with itself in float64 on the CPU.

    Without TensorFloat-32, whose ten bits in a layer's matrix product would hide a mistake.
    """
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        return _compared(name, precision, batch, size)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(True)


def _compared(name, precision, batch, size):
    make, example = CASES[name]
    shape = (batch, *((size, size, size) if len(example) == 3 else example))
    weights, inputs, upstream, exact = _exact(name, shape)
    figures = {}
    for title, jit_compile in XLA.items():
        layer = make(dtype=precision)
        step = _step(layer, shape, jit_compile)
        layer.set_weights(weights)
        figures[title] = max(map(_difference, step(inputs, upstream), exact))
        says = f"{title}: differs from float64 by {figures[title]:.1e} of the largest entry"
        must(figures[title] < TOLERANCES[precision], says)
    return figures


@functools.lru_cache(maxsize=1)
def _exact(name, shape):
    """Weights, inputs, upstream gradient and results of the layer in float64 on the CPU."""
    with tf.device("CPU:0"):
        layer = CASES[name][0](dtype="float64")
        inputs, upstream = _normal(shape, layer)
        results = _step(layer, shape)(inputs, upstream)
    return layer.get_weights(), inputs, upstream, results


def _step(layer, shape, jit_compile=False):
    """A compiled pass forward and back: outputs, and the gradients by inputs and weights."""
    if not layer.built:
        layer.build((None, *shape[1:]))

    @tf.function(jit_compile=jit_compile)
    def step(inputs, upstream):
        inputs = tf.cast(inputs, layer.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = layer(inputs)
        sources = [inputs, *(weight.value for weight in layer.trainable_weights)]
        gradients = tape.gradient(outputs, sources, tf.cast(upstream, outputs.dtype))
        return outputs, *gradients

    return step


def _normal(shape, layer):
    """Inputs and upstream gradients; the inputs are the same numbers in every precision."""
    inputs = tf.cast(tf.cast(tf.random.stateless_normal(shape, (0, 0)), "bfloat16"), "float32")
    return inputs, tf.random.stateless_normal(layer.compute_output_shape(shape), (1, 0))


def _difference(found, exact):
    """The difference of all but a thousandth of the entries, over the largest entry.

    Where a function has a bend, its slope may be that of either side.
    """
    found, exact = (np.asarray(tf.cast(value, "float64")) for value in (found, exact))
    must(np.isfinite(found).all(), "not finite")
    return float(np.quantile(np.abs(found - exact), 0.999) / np.abs(exact).max())


def _speed(precision, shape, rounds):
    """Quartiles of ratios of rounds that take turns."""
    made = {
        "ReLU": keras.layers.Activation("relu", dtype=precision),
        "broadcast": BroadcastKAF(layers.KernelActivation(dtype=precision), dtype=precision),
        "KAF": layers.KernelActivation(dtype=precision),
        "kWTA": layers.KWinnersTakeAll(dtype=precision),
    }
    inputs = _normal(shape, made["ReLU"])
    steps = {name: _step(layer, shape) for name, layer in made.items()}
    steps |= {f"{name}, XLA": _step(made[name], shape, True) for name in ("broadcast", "KAF")}
    seconds = timing.interleaved(
        {name: lambda step=step: _finished(step(*inputs)) for name, step in steps.items()}, rounds
    )
    against = timing.ratios(seconds, "ReLU")
    del against["ReLU"]
    return {
        "ms of ReLU": 1000 * statistics.median(seconds["ReLU"]),
        **{f"{name} / ReLU": quartiles for name, quartiles in against.items()},
        "broadcast / KAF": timing.ratios(seconds, "KAF")["broadcast"],
    }


def _finished(results):
    del results
    tf.test.experimental.sync_devices()

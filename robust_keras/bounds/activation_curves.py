"""The curve behind each activation that has one."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from robust_keras import layers
from robust_keras.bounds.curves import Curve
from robust_keras.bounds.kernel_curves import kernel_curve
from robust_keras.bounds.turning_points import of_function
from robust_keras.errors import InputError


def _none(slope):
    return ()


def _square(x):
    return tf.square(x)


SQUARE = Curve(value=_square, turns=lambda slope: (slope / 2.0,))
RELU = Curve(value=tf.nn.relu, turns=_none, convex_at_zero=True)
MIRRORED = Curve(
    value=lambda x: tf.nn.relu(1.0 - tf.abs(x)),
    turns=lambda slope: (-tf.ones_like(slope), tf.ones_like(slope)),
)


def _logistic_turns(slope):
    apart = tf.sqrt(tf.maximum(1.0 - 4.0 * slope, 0.0))
    share = tf.clip_by_value((1.0 + apart) / 2.0, 0.5, 1.0 - 1e-15)
    place = tf.math.log(share / (1.0 - share))
    return -place, place


def _tanh_turns(slope):
    place = tf.atanh(tf.clip_by_value(tf.sqrt(tf.maximum(1.0 - slope, 0.0)), 0.0, 1.0 - 1e-15))
    return -place, place


SIGMOID = Curve(value=tf.sigmoid, turns=_logistic_turns)
TANH = Curve(value=tf.tanh, turns=_tanh_turns)
# Largest second derivatives: 1/2 at 0, 2 / sqrt(2 pi) at 0, 2 at 0.
SILU = Curve(value=tf.nn.silu, curvature=0.5, active=(-18.0, 18.0), tail=3e-7)
GELU = Curve(
    value=lambda x: 0.5 * x * (1.0 + tf.math.erf(x / 2.0**0.5)),
    curvature=0.7979,
    active=(-6.0, 6.0),
    tail=1e-8,
)
BELL = Curve(value=lambda x: tf.exp(-tf.square(x)), curvature=2.0, active=(-4.5, 4.5), tail=2e-9)


def softplus(sharpness: Any) -> Curve:
    """`log(1 + exp(a x)) / a`, whose slope is sigmoid(a x)."""

    def turns(slope):
        inside = tf.clip_by_value(slope, 1e-15, 1.0 - 1e-15)
        return (tf.math.log(inside / (1.0 - inside)) / sharpness,)

    return Curve(value=lambda x: tf.math.softplus(sharpness * x) / sharpness, turns=turns)


def elu(alpha: float) -> Curve:
    """`x` above zero, `alpha (exp(x) - 1)` below."""

    def turns(slope):
        return (tf.minimum(tf.math.log(tf.maximum(slope / alpha, 1e-300)), 0.0),)

    return Curve(
        value=lambda x: tf.where(x > 0.0, x, alpha * tf.math.expm1(tf.minimum(x, 0.0))), turns=turns
    )


def leaky(slope_below: Any) -> Curve:
    """`x` above zero, a fraction of it below; the fraction may be one a channel."""

    def value(x):
        # Not before: a tensor that is made at import would start TensorFlow there.
        return tf.nn.relu(x) - tf.cast(slope_below, tf.float64) * tf.nn.relu(-x)

    return Curve(value=value, turns=_none)


def smooth_relu(sharpness: Any) -> Curve:
    """`x - log(b x + 1) / b` above zero, whose slope is `b x / (b x + 1)`; 0 below."""

    def value(x):
        rectified = tf.nn.relu(x)
        return rectified - tf.math.log1p(sharpness * rectified) / sharpness

    def turns(slope):
        inside = tf.clip_by_value(slope, 0.0, 1.0 - 1e-12)
        return (inside / (1.0 - inside) / sharpness,)

    return Curve(value=value, turns=turns, convex_at_zero=True)


FUNCTIONS = {
    "relu": RELU,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "silu": SILU,
    "gelu": GELU,
    "softplus": softplus(1.0),
    "elu": elu(1.0),
    "leaky_relu": leaky(0.2),
}


def function_curve(layer: keras.layers.Layer, function: Callable) -> Curve | None:
    """The curve of a Keras activation function, or None for the identity; InputError for others."""
    if getattr(function, "__name__", "") == "linear":
        return None
    return of_function(layer, function, FUNCTIONS)


def _relu_layer(layer):
    if layer.max_value is not None or layer.threshold:
        raise InputError.expected(
            layer.name, "a ReLU without max_value and threshold", "such a one"
        )
    return leaky(layer.negative_slope) if layer.negative_slope else RELU


def _sharpness(layer):
    return tf.cast(layer.square(layer.root), tf.float64)


LAYERS = {
    keras.layers.Activation: lambda layer: function_curve(layer, layer.activation),
    keras.layers.ReLU: _relu_layer,
    keras.layers.LeakyReLU: lambda layer: leaky(layer.negative_slope),
    keras.layers.PReLU: lambda layer: leaky(layer.alpha.value),
    keras.layers.ELU: lambda layer: elu(layer.alpha),
    layers.KernelActivation: kernel_curve,
    layers.SmoothReLU: lambda layer: smooth_relu(_sharpness(layer)),
    layers.ParametricSoftplus: lambda layer: softplus(_sharpness(layer)),
    layers.SymmetricActivation: lambda layer: MIRRORED if layer.kind == "mrelu" else BELL,
}

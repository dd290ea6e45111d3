"""What is known of each kind of layer: one entry, one rule."""

import functools

import keras
import numpy as np
import tensorflow as tf

from robust_keras import layers
from robust_keras.bounds.activation_curves import LAYERS as CURVES
from robust_keras.bounds.activation_curves import SQUARE, function_curve
from robust_keras.bounds.affine import Affine, Joined, Sum
from robust_keras.bounds.network import Step
from robust_keras.bounds.pooling import MaxPooling, WinnersOrNothing
from robust_keras.bounds.relaxation import Relaxation
from robust_keras.bounds.sorted_pairs import SortedPairs
from robust_keras.errors import InputError


def rules(step: Step) -> list:
    """The rules of one step, in the order in which they are applied.

    Returns:
        A list of objects with `relax(*inputs)`; empty where the layer changes nothing.

    Raises:
        InputError: no bounds are known for the layer.
    """
    layer = step.layer
    if step.ends_in_softmax and isinstance(layer, (keras.layers.Softmax, keras.layers.Activation)):
        return []
    for kind, curve in CURVES.items():
        if type(layer) is kind:
            found = curve(layer)
            return [] if found is None else [found]
    make = RULES.get(type(layer))
    if make is None:
        raise InputError.expected(
            f"layer '{layer.name}'",
            "a layer whose bounds are known (docs/certificates.md lists them)",
            type(layer).__name__,
        )
    return make(step)


def _activated(affine, step):
    if step.ends_in_softmax:
        return [affine]
    curve = function_curve(step.layer, step.layer.activation)
    return [affine] if curve is None else [affine, curve]


def _dense(step):
    layer = step.layer
    kernel = _double(layer.kernel)
    affine = Affine(
        lambda x: tf.tensordot(x, kernel, 1),
        lambda x: tf.tensordot(x, tf.abs(kernel), 1),
        shift=_double(layer.bias) if layer.use_bias else 0.0,
        terms=kernel.shape[0] + 1,
        mixes=True,
    )
    return _activated(affine, step)


def _convolution(step):
    layer = step.layer
    if layer.data_format != "channels_last" or layer.groups != 1:
        raise InputError.expected(
            f"layer '{layer.name}'", "a convolution of channels_last, groups=1", "another"
        )
    kernel = _double(layer.kernel)

    def convolve(x, kernel):
        return tf.nn.convolution(
            x, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate
        )

    affine = Affine(
        lambda x: convolve(x, kernel),
        lambda x: convolve(x, tf.abs(kernel)),
        shift=_double(layer.bias) if layer.use_bias else 0.0,
        terms=int(np.prod(kernel.shape[:-1])) + 1,
        mixes=True,
    )
    return _activated(affine, step)


def _batch_normalization(step):
    layer = step.layer
    scale = 1.0 / tf.sqrt(_double(layer.moving_variance) + layer.epsilon)
    scale *= _double(layer.gamma) if layer.scale else 1.0
    beta = _double(layer.beta) if layer.center else tf.zeros_like(scale)
    return [_scaled(scale, beta, _double(layer.moving_mean) * scale)]


def _normalization(step):
    layer = step.layer
    mean, variance = (tf.reshape(_double(v), [-1]) for v in (layer.mean, layer.variance))
    scale = 1.0 / tf.maximum(tf.sqrt(variance), keras.config.epsilon())
    return [_scaled(scale, tf.zeros_like(scale), mean * scale)]


def _rescaling(step):
    scale, offset = (tf.constant(v, tf.float64) for v in (step.layer.scale, step.layer.offset))
    return [_scaled(scale, offset, tf.zeros_like(offset))]


def _scaled(scale, plus, minus):
    """`scale x + plus - minus`, which a layer may compute in any of several orders."""
    return Affine(
        lambda x: x * scale,
        lambda x: x * tf.abs(scale),
        shift=plus - minus,
        magnitude=tf.abs(plus) + tf.abs(minus),
        terms=6,
    )


def _shaped(step):
    shape = tuple(step.layer.output.shape[1:])
    return [Affine(lambda x: tf.reshape(x, [-1, *shape]))]


def _global_average(step):
    height, width = step.layer.input.shape[1:3]
    axes, keep = [1, 2], step.layer.keepdims
    mean = functools.partial(tf.reduce_mean, axis=axes, keepdims=keep)
    return [Affine(mean, terms=height * width + 1, mixes=True)]


def _average(step):
    layer = step.layer

    def pool(x):
        return tf.nn.avg_pool2d(x, layer.pool_size, layer.strides, layer.padding.upper())

    return [Affine(pool, terms=int(np.prod(layer.pool_size)) + 1, mixes=True)]


def _maximum(step):
    layer = step.layer
    return [MaxPooling(layer.pool_size, layer.strides, layer.padding == "same")]


def _padding(step):
    (top, bottom), (left, right) = step.layer.padding
    return [Affine(lambda x: tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]))]


def _product(step):
    if len(set(step.sources)) != 1 or len(step.sources) != 2:
        raise InputError.expected(
            f"layer '{step.layer.name}'", "a product of a value with itself", "another product"
        )
    return [_FirstOf(SQUARE)]


class _FirstOf:
    """A rule of one input for a layer that is given it twice."""

    def __init__(self, rule):
        self._rule = rule

    def relax(self, x, _):
        """See `curves.Curve.relax`."""
        once = self._rule.relax(x)

        def pull(weights):
            (first,), constant = once.pull(weights)
            return [first, tf.zeros_like(first)], constant

        return Relaxation(once.output, pull)

    def undecided(self, x):
        """See `curves.Curve.undecided`."""
        return self._rule.undecided(x)


def _nothing(step):
    return []


def _double(value):
    return tf.cast(tf.convert_to_tensor(value), tf.float64)


RULES = {
    keras.layers.Dense: _dense,
    keras.layers.Conv2D: _convolution,
    keras.layers.BatchNormalization: _batch_normalization,
    keras.layers.Normalization: _normalization,
    keras.layers.Rescaling: _rescaling,
    keras.layers.Flatten: _shaped,
    keras.layers.Reshape: _shaped,
    keras.layers.GlobalAveragePooling2D: _global_average,
    keras.layers.AveragePooling2D: _average,
    keras.layers.MaxPooling2D: _maximum,
    keras.layers.ZeroPadding2D: _padding,
    keras.layers.Add: lambda step: [Sum()],
    keras.layers.Concatenate: lambda step: [Joined()],
    keras.layers.Multiply: _product,
    keras.layers.Dropout: _nothing,
    keras.layers.GaussianNoise: _nothing,
    layers.RejectionRule: _nothing,
    layers.KWinnersTakeAll: lambda step: [WinnersOrNothing()],
    layers.MaxMin: lambda step: [SortedPairs()],
}

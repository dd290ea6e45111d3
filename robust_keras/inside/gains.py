"""By how much one layer can enlarge a change, at most: its norm as an operator."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from robust_keras import layers
from robust_keras.inside.convolution import Convolution
from robust_keras.inside.steepest import LAYERS, steepest


class Gain(NamedTuple):
    """Bounds of |f(x) - f(y)| / |x - y|, Euclidean, and by the largest entry."""

    l2: float
    linf: float

    def times(self, other: "Gain") -> "Gain":
        """The gain of one after the other."""
        return Gain(_product(self.l2, other.l2), _product(self.linf, other.linf))


ONE = Gain(1.0, 1.0)


def layer_gain(layer: keras.layers.Layer, kernel: Gain | None) -> Gain | None:
    """The gain of a layer of one input, its activation included; None where none is known.

    Args:
        layer: a built Keras layer.
        kernel: its `linear_gain`.
    """
    slope = steepest(layer) if type(layer) in LAYERS or hasattr(layer, "activation") else 1.0
    make = _unchanged if type(layer) in LAYERS else GAINS.get(type(layer))
    linear = kernel or (make(layer) if make else None)
    return None if linear is None or slope is None else linear.times(Gain(slope, slope))


def linear_gain(layer: keras.layers.Layer, scale: np.ndarray | float = 1.0) -> Gain | None:
    """The gain of the linear part of a layer with a kernel; None for another layer.

    Args:
        layer: a built layer.
        scale: factors on the channels of its output, float64 (channels out,).
    """
    if type(layer) is keras.layers.Dense:
        kernel = np.asarray(layer.kernel, np.float64) * scale
        return Gain(float(np.linalg.norm(kernel, 2)), float(np.abs(kernel).sum(0).max()))
    parts = convolutions(layer, scale)
    if not parts:
        return None
    return Gain(max(p.norm_bound() for p in parts), max(p.largest_sum() for p in parts))


def convolutions(
    layer: keras.layers.Layer, scale: np.ndarray | float = 1.0
) -> tuple[Convolution, ...]:
    """A convolution as operators that share no channels: one, or one a group; else none.

    The norm of the whole is the largest of theirs.

    Args:
        layer: a built layer.
        scale: factors on the channels of its output, float64 (channels out,).
    """
    if type(layer) not in (keras.layers.Conv2D, keras.layers.DepthwiseConv2D):
        return ()
    if layer.data_format != "channels_last" or None in layer.input.shape[1:]:
        return ()
    kernel = np.asarray(layer.kernel, np.float64)
    if type(layer) is keras.layers.DepthwiseConv2D:
        groups = kernel.shape[2]
        kernel = kernel.reshape(*kernel.shape[:2], 1, -1)
    else:
        groups = layer.groups
    given = {
        "size": tuple(layer.input.shape[1:3]),
        "strides": tuple(layer.strides),
        "padding": layer.padding.upper(),
        "dilations": tuple(layer.dilation_rate),
    }
    return tuple(Convolution(part, **given) for part in np.split(kernel * scale, groups, axis=3))


def channel_scale(layer: keras.layers.Layer) -> np.ndarray | None:
    """The factors on the channels of a layer that only scales and shifts them; else None."""
    if type(layer) is keras.layers.BatchNormalization:
        scale = 1.0 / np.sqrt(np.asarray(layer.moving_variance, np.float64) + layer.epsilon)
        return scale * np.asarray(layer.gamma, np.float64) if layer.scale else scale
    if type(layer) is keras.layers.Normalization:
        deviation = np.sqrt(np.asarray(layer.variance, np.float64)).ravel()
        return 1.0 / np.maximum(deviation, keras.config.epsilon())
    if type(layer) is keras.layers.Rescaling:
        return np.ravel(np.asarray(layer.scale, np.float64))
    return None


def _scaling(layer):
    return Gain(*(float(np.abs(channel_scale(layer)).max()),) * 2)


def _separable(layer):
    """Depthwise, then pointwise."""
    channels, times = layer.depthwise_kernel.shape[2:]
    if layer.data_format != "channels_last" or None in layer.input.shape[1:]:
        return None
    kernel = np.asarray(layer.depthwise_kernel, np.float64)
    given = (tuple(layer.input.shape[1:3]), tuple(layer.strides), layer.padding.upper())
    parts = [
        Convolution(part, *given, tuple(layer.dilation_rate))
        for part in np.split(kernel.reshape(*kernel.shape[:2], 1, -1), channels, axis=3)
    ]
    first = Gain(max(p.norm_bound() for p in parts), max(p.largest_sum() for p in parts))
    point = np.asarray(layer.pointwise_kernel, np.float64).reshape(channels * times, -1)
    return first.times(Gain(float(np.linalg.norm(point, 2)), float(np.abs(point).sum(0).max())))


def _transposed(layer):
    """The transpose of the convolution that goes the other way."""
    if layer.data_format != "channels_last" or None in layer.output.shape[1:]:
        return None
    kernel = np.asarray(layer.kernel, np.float64)
    there = Convolution(
        kernel,
        tuple(layer.output.shape[1:3]),
        tuple(layer.strides),
        layer.padding.upper(),
        tuple(layer.dilation_rate),
    )
    if there.output_size != tuple(layer.input.shape[1:3]):
        return None
    return Gain(there.norm_bound(), float(np.abs(kernel).sum((0, 1, 3)).max()))


def _largest(layer):
    """Max pooling: each entry is in so many windows at most."""
    windows = math.prod(-(-p // s) for p, s in zip(layer.pool_size, layer.strides, strict=True))
    return Gain(math.sqrt(windows), 1.0)


def _average(layer):
    """Average pooling is one average down and one across, each a small matrix."""
    if layer.data_format != "channels_last" or None in layer.input.shape[1:3]:
        return None
    sides = zip(layer.input.shape[1:3], layer.pool_size, layer.strides, strict=True)
    same = layer.padding == "same"
    return Gain(math.prod(np.linalg.norm(_averages(*side, same), 2) for side in sides), 1.0)


def _averages(size, window, stride, same):
    count = -(-size // stride) if same else (size - window) // stride + 1
    before = max((count - 1) * stride + window - size, 0) // 2 if same else 0
    places = np.arange(count)[:, None] * stride - before
    inside = (np.arange(size) >= places) & (np.arange(size) < places + window)
    return inside / inside.sum(1, keepdims=True)


def _mean(layer):
    if layer.data_format != "channels_last" or None in layer.input.shape[1:3]:
        return None
    return Gain(1.0 / math.sqrt(math.prod(layer.input.shape[1:3])), 1.0)


def _repeated(layer):
    if layer.interpolation != "nearest":
        return None
    return Gain(math.sqrt(math.prod(layer.size)), 1.0)


def _unchanged(layer):
    return ONE


def _product(a, b):
    return 0.0 if 0.0 in (a, b) else a * b


_UNCHANGED = (
    *(keras.layers.Flatten, keras.layers.Reshape, keras.layers.Permute, keras.layers.Cropping2D),
    *(keras.layers.ZeroPadding2D, keras.layers.GlobalMaxPooling2D, keras.layers.Dropout),
    *(keras.layers.SpatialDropout2D, keras.layers.GaussianNoise, keras.layers.GaussianDropout),
    *(keras.layers.Identity, keras.layers.ActivityRegularization, layers.RejectionRule),
)
GAINS: dict[type, Callable[[Any], Gain | None]] = {
    **dict.fromkeys(_UNCHANGED, _unchanged),
    keras.layers.Activation: _unchanged,
    keras.layers.SeparableConv2D: _separable,
    keras.layers.Conv2DTranspose: _transposed,
    keras.layers.BatchNormalization: _scaling,
    keras.layers.Normalization: _scaling,
    keras.layers.Rescaling: _scaling,
    keras.layers.MaxPooling2D: _largest,
    keras.layers.AveragePooling2D: _average,
    keras.layers.GlobalAveragePooling2D: _mean,
    keras.layers.UpSampling2D: _repeated,
}

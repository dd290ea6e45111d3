"""Intervals through a model that is being trained: one pass, differentiable, no proof.

Affine layers take centre and radius, `W c + b` plus or minus `|W| r`; curves are evaluated at the
places of an interval where they are least and most, so that gradients reach the interval's ends and
the curve's own parameters. Float32 as it comes: `certify` proves, this trains.

Reference: Gowal et al., "On the Effectiveness of Interval Bound Propagation for Training Verifiably
Robust Models", 2018, arXiv 1810.12715.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from robust_keras import layers
from robust_keras.bounds import network
from robust_keras.bounds.interval import Interval
from robust_keras.bounds.kernel_extremes import kernel_extremes
from robust_keras.bounds.rules import rules
from robust_keras.bounds.turning_points import function_turns, layer_turns


@dataclasses.dataclass(frozen=True)
class Carried(Interval):
    """What is known of a tensor: bounds around images, in their kind of number, and their value.

    Args:
        value: tensor (batch, ...), of the shape of the bounds.
    """

    value: tf.Tensor


class TrainingIntervals:
    """A model taken apart for passes of values and bounds together.

    Args:
        model: a built `keras.Model`, Sequential or functional, from images to logits; a softmax at
            its end is left out.

    Raises:
        InputError: a layer for which no bounds are known, which it names, or a subclassed model.
    """

    def __init__(self, model: keras.Model):
        self._steps = network.steps(model)
        for step in self._steps:
            rules(step)  # refuses what has no proof

    def __call__(
        self, images: tf.Tensor, lower: tf.Tensor, upper: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The logits of the images, and the worst logits within the bounds.

        Batch normalisation takes its statistics from the images' own values, and moves the moving
        ones; dropout acts on values alone.

        Args:
            images: float32 tensor (batch, ...) of the model's pixels.
            lower: the least pixels, a tensor of that shape.
            upper: the largest.
            labels: whole numbers (batch,).

        Returns:
            Tensors (batch, classes). The second holds, for each class, an upper bound of its logit
            minus the label's: 0 at the label.
        """
        values = [Carried(lower, upper, images)]
        for step in self._steps[:-1]:
            values.append(_rule(step)(step, *(values[source] for source in step.sources)))
        last = self._steps[-1]
        inputs = [values[source] for source in last.sources]
        if isinstance(last.layer, keras.layers.Dense) and _is_linear(last):
            return _margins_through(last.layer, inputs[0], labels)
        ends = _rule(last)(last, *inputs)
        own = tf.one_hot(labels, ends.lower.shape[-1], dtype=ends.lower.dtype)
        least = tf.reduce_sum(own * ends.lower, axis=-1, keepdims=True)
        return ends.value, (1.0 - own) * (ends.upper - least)


def _is_linear(step):
    return step.ends_in_softmax or step.layer.activation is keras.activations.linear


def _margins_through(dense, x, labels):
    """Bounds of differences of logits, whose common parts cancel, in place of those of logits."""
    kernel = tf.convert_to_tensor(dense.kernel)
    bias = tf.convert_to_tensor(dense.bias) if dense.use_bias else tf.zeros(kernel.shape[-1])
    logits, centre = _split(_product(dense, tf.concat([x.value, x.centre], 0), kernel) + bias, 2)
    spread = tf.abs(kernel[:, None, :] - kernel[:, :, None])  # features, label, class
    radius = tf.einsum("bf,bfc->bc", x.radius, tf.gather(tf.transpose(spread, (1, 0, 2)), labels))
    return logits, centre - tf.gather(centre, labels, axis=1, batch_dims=1)[:, None] + radius


def _rule(step) -> Callable:
    layer = step.layer
    if step.ends_in_softmax and isinstance(layer, (keras.layers.Softmax, keras.layers.Activation)):
        return _same
    return _curve if layer_turns(layer) is not None else RULES[type(layer)]


def _split(stacked, parts):
    return tf.split(stacked, parts, axis=0)


def _product(layer, x, kernel):
    if isinstance(layer, keras.layers.Dense):
        return tf.tensordot(x, kernel, 1)
    return tf.nn.convolution(
        x, kernel, layer.strides, layer.padding.upper(), dilations=layer.dilation_rate
    )


def _weighted(step, x):
    """A dense layer or a convolution, and its activation."""
    layer = step.layer
    kernel = tf.convert_to_tensor(layer.kernel)
    both = _product(layer, tf.concat([x.value, x.centre], 0), kernel)
    both = both + layer.bias if layer.use_bias else both
    value, centre = _split(both, 2)
    radius = _product(layer, x.radius, tf.abs(kernel))
    result = Carried(centre - radius, centre + radius, value)
    if _is_linear(step):
        return result
    return _along(layer.activation, result, function_turns(layer, layer.activation))


def _along(function, x, turns):
    """A function that rises and falls between its turns, at the ends and at these."""
    between = [tf.minimum(tf.maximum(x.lower, turn), x.upper) for turn in turns]
    return _extremes(function, x, [x.lower, x.upper, *between])


def _extremes(function, x, places):
    value, *found = _split(function(tf.concat([x.value, *places], 0)), len(places) + 1)
    lower, upper = found[0], found[0]
    for each in found[1:]:
        lower, upper = tf.minimum(lower, each), tf.maximum(upper, each)
    return Carried(lower, upper, value)


def _curve(step, x):
    return _along(step.layer, x, layer_turns(step.layer))


def _kernel_activation(step, x):
    places = kernel_extremes(step.layer, x.lower, x.upper)
    return _extremes(step.layer, x, [x.lower, x.upper, *places])


def _batch_normalization(step, x):
    layer = step.layer
    value = layer(x.value, training=True)
    mean, variance = tf.nn.moments(x.value, list(range(len(x.value.shape) - 1)))
    if not layer.trainable:
        mean, variance = (
            tf.convert_to_tensor(v) for v in (layer.moving_mean, layer.moving_variance)
        )
    scale = tf.math.rsqrt(variance + layer.epsilon)
    scale = scale * layer.gamma if layer.scale else scale
    centre = (x.centre - mean) * scale
    centre = centre + layer.beta if layer.center else centre
    radius = x.radius * tf.abs(scale)
    return Carried(centre - radius, centre + radius, value)


def _winners(step, x):
    value = step.layer(x.value, training=True)
    return Carried(tf.minimum(x.lower, 0.0), tf.maximum(x.upper, 0.0), value)


def _several(step, *inputs):
    """A sum, or tensors side by side: each of value and bounds by itself."""
    return Carried(
        *(step.layer([getattr(x, name) for x in inputs]) for name in ("lower", "upper", "value"))
    )


def _sorted_pairs(step, x):
    """What rises with every input has its extremes at the ends."""
    return Carried(*(step.layer(part) for part in (x.lower, x.upper, x.value)))


def _square(step, x, _):
    return _along(tf.square, x, (0.0,))


def _values_only(step, x):
    return Carried(x.lower, x.upper, step.layer(x.value, training=True))


def _same(step, x):
    return x


RULES: dict[Any, Callable] = {
    keras.layers.Dense: _weighted,
    keras.layers.Conv2D: _weighted,
    keras.layers.BatchNormalization: _batch_normalization,
    keras.layers.Add: _several,
    keras.layers.Concatenate: _several,
    keras.layers.Multiply: _square,
    keras.layers.Dropout: _values_only,
    keras.layers.GaussianNoise: _values_only,
    layers.RejectionRule: _same,
    layers.KWinnersTakeAll: _winners,
    layers.MaxMin: _sorted_pairs,
    layers.KernelActivation: _kernel_activation,
}

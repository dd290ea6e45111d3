"""How much a change of the image can change the logits, at most: norms of layers, composed.

Reference: Szegedy et al., 2014, arXiv 1312.6199, section 4.3; with norms of the operators.
"""

import dataclasses
import math

import keras
import numpy as np
import tensorflow as tf

from robust_keras import layers
from robust_keras.bounds.interval import Interval
from robust_keras.bounds.network import steps
from robust_keras.bounds.rules import rules
from robust_keras.errors import InputError
from robust_keras.inside.gains import ONE, Gain, channel_scale, layer_gain, linear_gain
from robust_keras.inside.steepest import steepest

# What rounding may add to a norm.
_ROUNDING = 1e-6


@dataclasses.dataclass(frozen=True)
class LayerGain:
    """What one layer contributes.

    Args:
        name: of the layer.
        kind: its class.
        factor: by which it raises the Euclidean bound; of batch normalisation behind a kernel,
            what it changes there.
        kernel: the norm of its kernel as an operator, or None without one.
        slope: the largest slope of its activation, or None without one.
        total: the Euclidean bound from the image to its output.
    """

    name: str
    kind: str
    factor: float
    kernel: float | None
    slope: float | None
    total: float


@dataclasses.dataclass(frozen=True)
class LipschitzBound:
    """Bounds of |f(x) - f(y)| over |x - y| for all images x, y with pixels in [0, 1].

    Args:
        l2: both Euclidean; infinite where a layer jumps.
        linf: both by the largest entry.
        layer_product: the product of the norms of all kernels and the largest slopes of all
            activations alone: bound (6) of the pruning study, which holds where there is nothing
            else, no batch normalisation, no pooling, no sum.
        layers: one `LayerGain` a layer, in their order.
    """

    l2: float
    linf: float
    layer_product: float
    layers: tuple[LayerGain, ...]


def lipschitz_bound(model: keras.Model) -> LipschitzBound:
    """Bounds the Lipschitz constant of a model's logits; a softmax at its end is left out.

    Args:
        model: a built `keras.Model`, Sequential or functional, from one image batch to logits.

    Raises:
        InputError: a layer of which nothing is known, which the line names, or another model.

    Example:
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        >>> model.set_weights([np.array([[3.0], [4.0]])])
        >>> round(lipschitz_bound(model).l2, 3)
        5.0
    """
    found = steps(model)
    walk = _Walk(found, tuple(model.inputs[0].shape[1:]))
    gains = [walk.take(step) for step in found]
    total = walk.totals[-1].times(Gain(1.0 + _ROUNDING, 1.0 + _ROUNDING))
    own = [factor for gain in gains for factor in (gain.kernel, gain.slope) if factor is not None]
    return LipschitzBound(total.l2, total.linf, math.prod(own), tuple(gains))


class _Walk:
    """The bounds of every value of a network by its image, step by step."""

    def __init__(self, found, shape):
        self.totals = [ONE]
        self._steps = found
        self._shape = shape
        self._known = []
        self._grey = []

    def take(self, step):
        """Adds a step's value; returns its `LayerGain`."""
        layer, sources = step.layer, [self.totals[number] for number in step.sources]
        kernel = linear_gain(layer)
        if len(sources) == 1:
            total = self._single(step, sources[0], kernel)
        else:
            total = self._joined(step, sources)
        if total is None:
            raise InputError.expected(
                f"layer '{layer.name}'",
                "a layer whose Lipschitz constant is known (docs/inside.md lists them)",
                type(layer).__name__,
            )
        self.totals.append(total)
        before = math.hypot(*(source.l2 for source in sources))
        factor = total.l2 / before if 0.0 < before < math.inf else total.l2
        norm = None if kernel is None else kernel.l2
        return LayerGain(layer.name, type(layer).__name__, factor, norm, _slope(step), total.l2)

    def _single(self, step, source, kernel):
        layer = step.layer
        if step.ends_in_softmax:
            return source.times(kernel or ONE)
        if step.last and type(layer) is layers.TemperatureSoftmax:
            return source.times(Gain(1.0 / layer.temperature, 1.0 / layer.temperature))
        gain = layer_gain(layer, kernel)
        return None if gain is None else self._scaled(step, source.times(gain))

    def _scaled(self, step, total):
        """The smaller bound where a kernel and the scales behind it count as one."""
        scale, number = channel_scale(step.layer), step.sources[0] - 1
        if scale is None or number < 0:
            return total
        before = self._steps[number]
        if getattr(before.layer, "activation", None) is not keras.activations.linear:
            return total
        own = linear_gain(before.layer, scale)
        if own is None:
            return total
        both = self.totals[before.sources[0]].times(own)
        return Gain(min(total.l2, both.l2), min(total.linf, both.linf))

    def _joined(self, step, sources):
        """The bound of a layer that puts several values together, or None."""
        kind = type(step.layer)
        l2, linf = ([getattr(source, norm) for source in sources] for norm in ("l2", "linf"))
        if kind in (keras.layers.Add, keras.layers.Subtract):
            return Gain(sum(l2), sum(linf))
        if kind is keras.layers.Average:
            return Gain(sum(l2) / len(l2), sum(linf) / len(linf))
        if kind in (keras.layers.Concatenate, keras.layers.Maximum, keras.layers.Minimum):
            return Gain(math.hypot(*l2), max(linf))
        if kind is keras.layers.Multiply and len(sources) == 2 and len(set(step.sources)) == 1:
            most = 2.0 * self._largest(step.sources[0])
            return sources[0].times(Gain(most, most))
        return None

    def _largest(self, number):
        """The largest entry that a value can have for pixels in [0, 1]."""
        if not self._known:
            self._known = _ranges(self._steps, self._shape)
            self._grey = _values(self._steps, tf.fill((1, *self._shape), 0.5))
        # No pixel is farther than 1/2 from mid grey.
        around = np.abs(self._grey[number]).max() + self.totals[number].linf / 2.0
        known = self._known[number]
        return float(around if known is None else min(around, np.max(known.magnitude)))


def _ranges(found, shape):
    """An `Interval` a value, for any pixels in [0, 1]; None where no rule gives one."""
    image = tf.ones((1, *shape), tf.float64)
    known = [Interval(tf.zeros_like(image), image)]
    for step in found:
        values = [known[number] for number in step.sources]
        try:
            if any(value is None for value in values):
                raise InputError("a value before it is not known")
            for rule in rules(step):
                values = [rule.relax(*values).output]
            known.append(values[0])
        except InputError:
            known.append(None)
    return known


def _values(found, image):
    """Every value of a network for one image."""
    values = [image]
    for step in found:
        given = [values[number] for number in step.sources]
        values.append(step.layer(given if len(given) > 1 else given[0]))
    return values


def _slope(step):
    """The largest slope of a step's activation; None without one, or at the end."""
    layer = step.layer
    if step.last or getattr(layer, "activation", None) is keras.activations.linear:
        return None
    return steepest(layer)

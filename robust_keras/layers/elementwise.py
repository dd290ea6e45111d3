"""Elementwise functions that keep nothing but their input for the gradient."""

from collections.abc import Callable

import tensorflow as tf

from robust_keras.layers.fusion import fused, in_graph, unrecorded


def elementwise(
    value: Callable, slope: Callable, parameter_slope: Callable | None = None
) -> Callable:
    """Returns a differentiable function from its values and its slopes, each one fused loop.

    Args:
        value: (inputs, *parameters) -> outputs, elementwise.
        slope: the same -> derivative with respect to the inputs, made of differentiable operations.
        parameter_slope: the same -> derivative with respect to the one scalar parameter, if any.

    Returns:
        A function of the inputs and, with `parameter_slope`, the scalar parameter.
    """

    @in_graph
    def forward(inputs, *parameters):
        with fused():
            return value(inputs, *parameters)

    @in_graph
    def backward(upstream, inputs, *parameters):
        with fused():
            gradients = [upstream * slope(inputs, *parameters)]
            if parameter_slope is not None:
                gradients.append(upstream * parameter_slope(inputs, *parameters))
        return gradients[0], *(_total(gradient) for gradient in gradients[1:])

    @tf.custom_gradient
    def function(inputs, *parameters):
        with unrecorded():
            outputs = forward(inputs, *parameters)
        return outputs, lambda upstream: backward(upstream, inputs, *parameters)

    return function


def _total(values):
    """Sums one axis after another: one long sum in float32 would lose digits."""
    for axis in reversed(range(values.shape.rank)):
        values = tf.reduce_sum(values, axis=axis)
    return values

"""Sums of Gaussian kernels by one small table for each channel.

A channel's activation is a smooth curve: it is tabulated in float64 once a call, as quadratics on
cells narrow enough for float32, and each input looks its quadratic up. The parameters' gradients
need only three moments of the upstream gradient in each cell. Neither the time nor the memory for
an input grows with the dictionary, and the large terms of opposite sign that ridge regression
gives are added up in float64.
"""

import functools

import tensorflow as tf

from robust_keras.layers.copies import made_once
from robust_keras.layers.fusion import fused, in_graph, unrecorded
from robust_keras.layers.gaussian_cells import TERMS
from robust_keras.layers.gaussian_kernels import FixedKernels, MovingKernels

# Derivatives beyond this order are those of the interpolating quadratic itself.
LAST_ORDER = 2
# Parts in which sums are made that shall not depend on threads.
_ROWS = 8
_ordered = False


def gaussian_curve(
    kernels: FixedKernels | MovingKernels, inputs: tf.Tensor, *parameters: tf.Tensor
) -> tf.Tensor:
    """Returns `sum_i mixing_i exp(-bandwidth (s - d_i)^2)`, differentiable twice.

    Args:
        kernels: `FixedKernels` or `MovingKernels`.
        inputs: float32, shape (rows, channels).
        *parameters: those of the kernels.

    Returns:
        float32, shape (rows, channels).
    """

    @tf.custom_gradient
    def differentiable(inputs, *parameters):
        def backward(upstream):
            return _gradients(kernels, 0, upstream, inputs, parameters)

        with unrecorded():
            return _values(kernels, 0, 1.0, inputs, parameters), backward

    return differentiable(inputs, *parameters)


def _gradients(kernels, order, upstream, inputs, parameters):
    """Returns the gradients of the inputs and of the parameters, for derivatives of an order."""
    input_gradient = _scaled(kernels, order + 1, upstream, inputs, parameters)
    moments = _moments(kernels, inputs, upstream, parameters)
    gradients = kernels.gradients(kernels.cells(parameters), order, parameters, moments)
    return input_gradient, *gradients


def _scaled(kernels, order, scale, inputs, parameters):
    """Returns `scale` times the sum's derivative of the given order, differentiable itself."""
    if order == LAST_ORDER:
        return _values(kernels, order, scale, inputs, parameters)

    @tf.custom_gradient
    def differentiable(scale, inputs, *parameters):
        def backward(upstream):
            scale_gradient = _scaled(kernels, order, upstream, inputs, parameters)
            return scale_gradient, *_gradients(kernels, order, upstream * scale, inputs, parameters)

        with unrecorded():
            return _values(kernels, order, scale, inputs, parameters), backward

    return differentiable(scale, inputs, *parameters)


@in_graph
@made_once
def _values(kernels, order, scale, inputs, parameters):
    """Looks every input up in its channel's table of quadratics, times `scale`."""
    cells = kernels.cells(parameters)
    tables = tf.split(kernels.tables(cells, order, parameters), TERMS, axis=1)
    tables = [tf.reshape(tf.cast(table, inputs.dtype), [-1]) for table in tables]
    with fused():
        index, position = cells.locate(inputs)
        constant, linear, quadratic = (tf.gather(table, index) for table in tables)
        return scale * ((quadratic * position + linear) * position + constant)


@in_graph
def _moments(kernels, inputs, upstream, parameters):
    """Returns the moments of each cell: float64, shape (channels, TERMS * count)."""
    cells, channels = kernels.cells(parameters), inputs.shape[1]
    with fused():
        index, _ = cells.locate(inputs)
    moments = []
    for power in range(TERMS):
        # One after another, so that the weights of one moment are held at a time.
        with tf.control_dependencies(moments), fused():
            _, position = cells.locate(inputs)
            weights = functools.reduce(tf.multiply, [position] * power, upstream)
        moments.append(_histogram(index, weights, channels * cells.count))
    moments = tf.concat([tf.reshape(part, [channels, -1]) for part in moments], axis=1)
    return tf.cast(moments, tf.float64)


def _histogram(index, weights, size):
    """Returns the sum of the weights at each index."""
    sums_of = _sums_on_gpu if _has_gpu() else _sums_on_cpu

    @tf.custom_gradient
    def differentiable(weights):
        sums = sums_of(tf.reshape(index, [-1]), tf.reshape(weights, [-1]), size)
        return sums, lambda upstream: tf.gather(upstream, index)

    return differentiable(weights)


def _has_gpu():
    return bool(tf.config.list_logical_devices("GPU"))


def sum_in_order() -> None:
    """Lets gradients that are traced from now on repeat bit by bit, whatever the threads.

    `tf.config.enable_op_determinism` does not reach TensorFlow's histogram, whose threads add up
    what each has found, in any order. On a CPU the sums then take half as long again.
    """
    global _ordered
    _ordered = True


def _sums_on_cpu(index, weights, size):
    """The fastest on a CPU; on a GPU TensorFlow refuses it with weights."""
    if not _ordered:
        return _bincount(index, weights, size)
    # Each row is one thread's.
    whole = tf.size(index) // _ROWS * _ROWS
    rows = (tf.reshape(values[:whole], [_ROWS, -1]) for values in (index, weights))
    rest = _bincount(index[whole:], weights[whole:], size)
    return tf.reduce_sum(_bincount(*rows, size), axis=0) + rest


def _bincount(index, weights, size):
    return tf.raw_ops.DenseBincount(input=index, size=size, weights=weights, binary_output=False)


def _sums_on_gpu(index, weights, size):
    """Runs everywhere."""
    return tf.math.unsorted_segment_sum(weights, index, size)

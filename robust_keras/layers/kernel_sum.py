"""Sums of any kernels that never hold a tensor of the input's size times the dictionary's."""

import functools

import tensorflow as tf

from robust_keras.layers.kernels import Kernel


def kernel_sum(
    kernel: Kernel,
    inputs: tf.Tensor,
    mixing: tf.Tensor,
    dictionary: tf.Tensor,
    bandwidth: tf.Tensor,
) -> tf.Tensor:
    """Returns `sum_i mixing_i k(inputs - dictionary_i)`, differentiable in every tensor.

    The gradient recomputes the kernels one dictionary element at a time, so memory does not grow
    with the dictionary. It is made of differentiable operations: second derivatives work.

    Args:
        kernel: the `Kernel`.
        inputs: shape (rows, channels).
        mixing: shape (channels, dictionary_size).
        dictionary: shape (channels or 1, dictionary_size).
        bandwidth: shape (channels or 1, 1).

    Returns:
        Shape (rows, channels).
    """
    dictionary = tf.broadcast_to(dictionary, mixing.shape)
    bandwidth = tf.broadcast_to(bandwidth, [mixing.shape[0], 1])

    @tf.custom_gradient
    def differentiable(inputs, mixing, dictionary, bandwidth):
        tensors = inputs, tf.transpose(mixing), tf.transpose(dictionary), bandwidth[:, 0]
        return _forward(kernel, *tensors), functools.partial(_backward, kernel, *tensors)

    return differentiable(inputs, mixing, dictionary, bandwidth)


def _forward(kernel, inputs, mixing, dictionary, bandwidth):
    def add(element, outputs):
        terms = kernel.value(inputs - dictionary[element], bandwidth)
        return element + 1, outputs + mixing[element] * terms

    return _over_dictionary(add, mixing, tf.zeros_like(inputs))[0]


def _backward(kernel, inputs, mixing, dictionary, bandwidth, upstream):
    channels = mixing.shape[1]
    rows = tf.TensorArray(inputs.dtype, mixing.shape[0], element_shape=[3, channels])

    def add(element, input_gradient, rows):
        coefficient, difference = mixing[element], inputs - dictionary[element]
        slope = upstream * kernel.slope(difference, bandwidth)
        total = tf.reduce_sum(slope, axis=0)
        value = tf.reduce_sum(upstream * kernel.value(difference, bandwidth), axis=0)
        widening = tf.zeros_like(total)
        if kernel.bandwidth_slope is not None:
            shape = kernel.bandwidth_slope(difference, bandwidth)
            widening = coefficient * tf.reduce_sum(upstream * shape, axis=0)
        rows = rows.write(element, tf.stack([value, -coefficient * total, widening]))
        return element + 1, input_gradient + coefficient * slope, rows

    input_gradient, rows = _over_dictionary(add, mixing, tf.zeros_like(inputs), rows)
    values, slopes, widenings = tf.unstack(rows.stack(), axis=1)
    widening = tf.reduce_sum(widenings, axis=0)[:, None]
    return input_gradient, tf.transpose(values), tf.transpose(slopes), widening


def _over_dictionary(step, mixing, *start):
    """Runs the step for each dictionary element; returns what it carries along."""
    size = mixing.shape[0]
    return tf.while_loop(
        lambda element, *_: element < size,
        step,
        (tf.constant(0), *start),
        parallel_iterations=1,
        maximum_iterations=size,
    )[1:]

"""Sums of kernels that never hold a tensor of the input's size times the dictionary's."""

import functools

import tensorflow as tf


def kernel_sum(kernel, inputs, mixing, dictionary, bandwidth):
    """Returns `sum_i mixing_i k(inputs - dictionary_i)`, differentiable in every tensor.

    The gradient recomputes the kernels one dictionary element at a time, so memory does not grow
    with the dictionary. It is made of differentiable operations: second derivatives work.

    Args:
        kernel: the `Kernel`.
        inputs: shape (rows, channels).
        mixing: shape (channels, dictionary_size).
        dictionary: shape (channels or 1, dictionary_size).
        bandwidth: shape (channels or 1,).

    Returns:
        Shape (rows, channels).
    """

    @tf.custom_gradient
    def differentiable(inputs, mixing, dictionary, bandwidth):
        outputs = _forward(kernel, inputs, mixing, dictionary, bandwidth)
        backward = functools.partial(_backward, kernel, inputs, mixing, dictionary, bandwidth)
        return outputs, backward

    return differentiable(inputs, mixing, dictionary, bandwidth)


def _forward(kernel, inputs, mixing, dictionary, bandwidth):
    outputs = tf.zeros_like(inputs)
    elements = zip(tf.unstack(mixing, axis=1), tf.unstack(dictionary, axis=1), strict=True)
    for coefficient, element in elements:
        outputs += coefficient * kernel.value(inputs - element, bandwidth)
    return outputs


def _backward(kernel, inputs, mixing, dictionary, bandwidth, upstream):
    input_gradient = tf.zeros_like(inputs)
    bandwidth_gradient = tf.zeros_like(mixing[:, 0])
    mixing_gradients, dictionary_gradients = [], []
    elements = zip(tf.unstack(mixing, axis=1), tf.unstack(dictionary, axis=1), strict=True)
    for coefficient, element in elements:
        difference = inputs - element
        mixing_gradients.append(tf.reduce_sum(upstream * kernel.value(difference, bandwidth), 0))
        slope = upstream * kernel.slope(difference, bandwidth)
        input_gradient += coefficient * slope
        dictionary_gradients.append(-coefficient * tf.reduce_sum(slope, 0))
        if kernel.bandwidth_slope is not None:
            share = tf.reduce_sum(upstream * kernel.bandwidth_slope(difference, bandwidth), 0)
            bandwidth_gradient += coefficient * share
    return (
        input_gradient,
        tf.stack(mixing_gradients, axis=1),
        _like(tf.stack(dictionary_gradients, axis=1), dictionary),
        _like(bandwidth_gradient, bandwidth),
    )


def _like(gradient, tensor):
    """Sums over channels where one value serves all of them."""
    if tensor.shape[0] == gradient.shape[0]:
        return gradient
    return tf.reduce_sum(gradient, axis=0, keepdims=True)


def paired_kernel_sum(kernel, inputs, mixing, dictionary, bandwidth):
    """Returns `sum_ij mixing_ij k(first - dictionary_i) k(second - dictionary_j)`.

    Channel c of the first half of the inputs is paired with channel c of the second half. The
    channels are taken one after another and recomputed for the gradient, so that only one of
    them holds its kernels at a time.

    Args:
        kernel: the `Kernel`.
        inputs: shape (rows, 2 channels).
        mixing: shape (channels, dictionary_size**2), the first input's axis first.
        dictionary: shape (channels or 1, dictionary_size).
        bandwidth: shape (channels or 1,).

    Returns:
        Shape (rows, channels).
    """
    channels, size = mixing.shape[0], dictionary.shape[1]
    first, second = tf.split(tf.transpose(inputs), 2, axis=0)
    one_pair = _recomputed(functools.partial(_pair, kernel))

    def all_pairs(*tensors):
        return tf.map_fn(
            lambda pair: one_pair(*pair),
            tensors,
            parallel_iterations=1,
            fn_output_signature=inputs.dtype,
        )

    # Recomputed as a whole too: the loop's own record of its steps cannot leave an XLA program.
    outputs = _recomputed(all_pairs)(
        first,
        second,
        tf.reshape(mixing, [channels, size, size]),
        tf.broadcast_to(dictionary, [channels, size]),
        tf.broadcast_to(bandwidth, [channels]),
    )
    return tf.transpose(outputs)


def _pair(kernel, first, second, mixing, dictionary, bandwidth):
    left = kernel.value(first[:, None] - dictionary, bandwidth)  # (rows, dictionary_size)
    right = kernel.value(second[:, None] - dictionary, bandwidth)
    return tf.reduce_sum(tf.matmul(left, mixing) * right, axis=1)


def _recomputed(function):
    """Returns the function with a gradient that recomputes what it would have stored."""

    @tf.custom_gradient
    def differentiable(*tensors):
        def backward(upstream):
            # Inside a loop's gradient the tensors come from another graph, where no tape sees them.
            copies = [tf.identity(tensor) for tensor in tensors]
            with tf.GradientTape() as tape:
                tape.watch(copies)
                outputs = function(*copies)
            return tape.gradient(outputs, copies, upstream)

        return function(*tensors), backward

    return differentiable

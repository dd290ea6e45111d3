"""Sums of products of kernels of two inputs."""

import functools

import tensorflow as tf

from robust_keras.layers.kernels import Kernel


def paired_kernel_sum(
    kernel: Kernel,
    inputs: tf.Tensor,
    mixing: tf.Tensor,
    dictionary: tf.Tensor,
    bandwidth: tf.Tensor,
) -> tf.Tensor:
    """Returns `sum_ij mixing_ij k(first - dictionary_i) k(second - dictionary_j)`.

    Channel c of the first half of the inputs is paired with channel c of the second half. The
    pairs are taken one after another and recomputed for the gradient, so that only one of them
    holds its kernels at a time.

    Args:
        kernel: the `Kernel`.
        inputs: shape (rows, 2 channels).
        mixing: shape (channels, dictionary_size**2), the first input's axis first.
        dictionary: shape (channels or 1, dictionary_size).
        bandwidth: shape (channels or 1, 1).

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
        tf.broadcast_to(bandwidth, [channels, 1]),
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

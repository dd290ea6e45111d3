"""How steep the kernel activations of a model are."""

import numpy as np
import tensorflow as tf

from layers import KernelActivation

# Kernels reach a little beyond the dictionary; the steepest cliff is often right there.
_POINTS = 2001
_PAIRED_POINTS = 101
_GAUSSIAN_REACH = 3.0  # in units of 1 / sqrt(bandwidth)
_OTHER_REACH = 10.0


def largest_slope(layer):
    """The largest slope of a kernel activation over all of its channels and inputs.

    `max_c max_s |g_c'(s)|` on a fine grid over the dictionary and what lies around it; of paired
    channels the largest length of the gradient by both inputs. A network's gradient can grow by no
    more than this in the layer, so it tells which of many layers is about to explode.

    Args:
        layer: a built `layers.KernelActivation`.

    Returns:
        A float, at least 0; NaN or infinite where the layer's weights are.

    Example:
        `largest_slope(model.get_layer("stem_activation"))` -> about 3 after a start as ELU: the
        curve falls to zero at the dictionary's end.
    """
    if layer.paired:
        return _largest(layer, *_paired_grid(layer))
    channels = layer.mixing_coefficients.shape[0]
    points = _grid(layer, _POINTS)
    return _largest(layer, np.repeat(points[:, None], channels, axis=1), 1)


def kernel_slopes(model):
    """The largest slope of every kernel activation in a model, by the names of the layers.

    Args:
        model: a built `keras.Model`; layers in nested models count as well.

    Returns:
        A dict from `layer_of` each to a float; empty without kernel activations.
    """
    return {
        layer_of(layer.mixing_coefficients, model): largest_slope(layer)
        for layer in model._flatten_layers()
        if isinstance(layer, KernelActivation)
    }


def layer_of(variable, model):
    """The name of the layer that a variable of the model belongs to; OUTER/INNER if it is nested.

    Args:
        variable: a `keras.Variable`.
        model: the `keras.Model`; its own name, with which Sequential begins paths, is left out.
    """
    return variable.path.rpartition("/")[0].removeprefix(f"{model.name}/")


def _grid(layer, points):
    centres = layer.grid if layer.dictionary is None else layer.dictionary.numpy()
    reach = _OTHER_REACH
    if layer.kernel == "gaussian":
        bandwidth = layer.initial_bandwidth
        if layer.log_bandwidth is not None:
            bandwidth = float(np.exp(np.min(layer.log_bandwidth.numpy())))
        reach = _GAUSSIAN_REACH / np.sqrt(bandwidth)
    return np.linspace(np.min(centres) - reach, np.max(centres) + reach, points)


def _paired_grid(layer):
    points = _grid(layer, _PAIRED_POINTS)
    one, other = (plane.reshape(-1, 1) for plane in np.meshgrid(points, points))
    channels = layer.mixing_coefficients.shape[0]
    return np.concatenate([one.repeat(channels, 1), other.repeat(channels, 1)], axis=1), 2


def _largest(layer, inputs, parts):
    inputs = tf.constant(inputs, layer.inner_dtype)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        total = tf.reduce_sum(tf.cast(layer(inputs), layer.inner_dtype))
    slopes = tape.gradient(total, inputs).numpy().astype(np.float64)
    return float(np.sqrt(sum(part**2 for part in np.split(slopes, parts, axis=1))).max())

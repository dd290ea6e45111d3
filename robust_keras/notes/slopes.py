"""How steep the kernel activations of a model are."""

import keras
import numpy as np

from robust_keras.layers import KernelActivation, keras_private

# Kernels reach a little beyond the dictionary; the steepest cliff is often right there.
_POINTS = 2001
_PAIRED_POINTS = 101
_GAUSSIAN_REACH = 3.0  # in units of 1 / sqrt(bandwidth)
_OTHER_REACH = 10.0


def largest_slope(layer: keras.layers.Layer) -> float:
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
    mixing = _numpy(layer.mixing_coefficients)
    points = _grid(layer, _PAIRED_POINTS if layer.paired else _POINTS)
    if not layer.paired and layer.dictionary is None and layer.log_bandwidth is None:
        # One matrix for all channels, as nearly always.
        slopes = _derivatives(layer, points, layer.grid, layer.initial_bandwidth) @ mixing.T
        return float(np.abs(slopes).max())
    centres = [layer.grid] * len(mixing) if layer.dictionary is None else _numpy(layer.dictionary)
    bandwidths = _bandwidths(layer, len(mixing))
    slope = _paired_slope if layer.paired else _slope
    return max(
        slope(layer, points, row, *moved)
        for row, *moved in zip(mixing, centres, bandwidths, strict=True)
    )


def kernel_slopes(model: keras.Model) -> dict[str, float]:
    """The largest slope of every kernel activation in a model, by the names of the layers.

    Args:
        model: a built `keras.Model`; layers in nested models count as well.

    Returns:
        A dict from `layer_of` each to a float; empty without kernel activations.
    """
    return {
        layer_of(layer.mixing_coefficients, model): largest_slope(layer)
        for layer in keras_private.all_layers(model)
        if isinstance(layer, KernelActivation)
    }


def layer_of(variable: keras.Variable, model: keras.Model) -> str:
    """The name of the layer that a variable of the model belongs to; OUTER/INNER if it is nested.

    Args:
        variable: a `keras.Variable`.
        model: the `keras.Model`; its own name, with which Sequential begins paths, is left out.
    """
    return variable.path.rpartition("/")[0].removeprefix(f"{model.name}/")


def _numpy(variable):
    return keras.ops.convert_to_numpy(variable.value).astype(np.float64)


def _bandwidths(layer, channels):
    if layer.log_bandwidth is None:
        return np.full(channels, layer.initial_bandwidth if layer.kernel == "gaussian" else 1.0)
    return np.exp(_numpy(layer.log_bandwidth))


def _grid(layer, points):
    centres = layer.grid if layer.dictionary is None else _numpy(layer.dictionary)
    reach = _OTHER_REACH
    if layer.kernel == "gaussian":
        reach = _GAUSSIAN_REACH / np.sqrt(_bandwidths(layer, 1).min())
    return np.linspace(np.min(centres) - reach, np.max(centres) + reach, points)


def _derivatives(layer, points, centres, bandwidth):
    """D k(s, d_i) / ds of shape (points, dictionary_size)."""
    distance = points[:, None] - centres
    if layer.kernel == "gaussian":
        return -2 * bandwidth * distance * np.exp(-bandwidth * distance**2)
    if layer.kernel == "relu":
        return (distance > 0).astype(np.float64)
    return 1 / (1 + np.exp(-distance))


def _slope(layer, points, row, centres, bandwidth):
    return float(np.abs(_derivatives(layer, points, centres, bandwidth) @ row).max())


def _paired_slope(layer, points, row, centres, bandwidth):
    """The largest length of the gradient of one output by its two inputs."""
    rising = _derivatives(layer, points, centres, bandwidth)
    value = np.exp(-bandwidth * (points[:, None] - centres) ** 2)
    mixing = row.reshape(layer.dictionary_size, layer.dictionary_size)
    by_first, by_second = rising @ mixing @ value.T, value @ mixing @ rising.T
    return float(np.hypot(by_first, by_second).max())

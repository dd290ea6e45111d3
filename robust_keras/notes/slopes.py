"""How steep the kernel activations of a model are."""

import keras

from robust_keras.layers import KernelActivation, keras_private
from robust_keras.layers.kernel_slope import kernel_slope


def kernel_slopes(model: keras.Model) -> dict[str, float]:
    """The largest slope of every kernel activation in a model, by the names of the layers.

    Args:
        model: a built `keras.Model`; layers in nested models count as well.

    Returns:
        A dict from `layer_of` each to a float; empty without kernel activations.
    """
    return {
        layer_of(layer.mixing_coefficients, model): kernel_slope(layer)
        for layer in keras_private.all_layers(model)
        if isinstance(layer, KernelActivation)
    }


def layer_of(variable: keras.Variable, model: keras.Model) -> str:
    """The name of the layer that a variable of the model belongs to; OUTER/INNER if it is nested.

    The model's own name, with which Sequential begins paths, is left out.
    """
    return variable.path.rpartition("/")[0].removeprefix(f"{model.name}/")

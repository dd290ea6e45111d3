"""Networks whose logits change by at most a given multiple of the image's change, in l2."""

import keras

from robust_keras import layers
from robust_keras.errors import InputError
from robust_keras.layers.kernel_ridge import ridge_coefficients
from robust_keras.layers.kernels import KERNELS

# Calls of each constraint that take random kernels to orthogonal ones.
_CALLS = 20
# What enlarges no distance and has no weights, besides activations.
_HARMLESS = (keras.layers.Flatten, keras.layers.Reshape, layers.RejectionRule)
_RISING = ("linear", "relu", "elu", "softplus", "sigmoid", "tanh")
_ACTIVATIONS = (layers.MaxMin, layers.SmoothReLU, layers.ParametricSoftplus)


def limited(model: keras.Model, constant: float) -> keras.Model:
    """A copy with fresh weights, whose kernels and kernel activations are held to their limits.

    Args:
        model: a built functional model that ends in a layer called "logits", or a rejection rule
            behind it.
        constant: the logits' largest Lipschitz constant in l2, > 0.

    Raises:
        InputError: a layer that cannot be held to 1, which the line names.
    """
    return keras.models.clone_model(model, clone_function=lambda layer: _limited(layer, constant))


def settle(model: keras.Model) -> None:
    """Brings the weights of a `limited` model within their limits, before any training."""
    for layer in model.layers:
        if isinstance(layer, layers.KernelActivation):
            if isinstance(layer.initializer, str):
                layer.mixing_coefficients.assign(_without_cliffs(layer))
        for variable in layer.trainable_variables:
            if variable.constraint is not None:
                for _ in range(_CALLS):
                    variable.assign(variable.constraint(variable.value))


def _limited(layer, constant):
    config = layer.get_config()
    if type(layer) in (keras.layers.Conv2D, keras.layers.Dense):
        config["kernel_constraint"] = _constraint(layer, constant)
    elif type(layer) is layers.KernelActivation:
        config["constraint"] = _slope_limit(layer)
    elif not _is_harmless(layer):
        raise InputError.expected(
            f"layer '{layer.name}' with --lipschitz",
            "kernels, activations no steeper than 1 and windows that do not overlap",
            type(layer).__name__,
        )
    return type(layer).from_config(config)


def _constraint(layer, constant):
    limit = constant if layer.name == "logits" else 1.0
    if type(layer) is keras.layers.Dense:
        return layers.OrthogonalKernel(limit)
    return layers.OrthogonalKernel(limit, layer.strides, tuple(layer.output.shape[1:3]))


def _slope_limit(layer):
    moving = layer.trainable_dictionary or layer.trainable_bandwidth
    if layer.paired or layer.kernel != "gaussian" or moving:
        raise InputError.expected(
            f"layer '{layer.name}' with --lipschitz",
            "Gaussian kernels of one input, whose dictionary and bandwidth are not trained",
            "others",
        )
    return layers.SlopeLimit(1.0, layer.boundary, layer.bandwidth)


def _is_harmless(layer):
    if type(layer) is keras.layers.Activation:
        return layer.activation.__name__ in _RISING
    if type(layer) is keras.layers.MaxPooling2D:
        return layer.pool_size == layer.strides
    if type(layer) is keras.layers.Normalization:
        return min(layer.input_variance) >= 1.0
    return isinstance(layer, (keras.layers.InputLayer, *_HARMLESS, *_ACTIVATIONS))


def _without_cliffs(layer):
    """The start's fit, of a target that returns to 0 at both ends of the dictionary.

    A Gaussian kernel activation falls to 0 beyond its dictionary. Where its start ends far from 0
    this is its steepest place, and the limit would flatten all of the curve.
    """

    def target(s):
        room = layer.boundary - keras.ops.abs(s)
        return keras.ops.clip(keras.activations.get(layer.initializer)(s), -room, room)

    kernel = KERNELS[layer.kernel]
    row = ridge_coefficients(kernel, target, layer.grid, layer.initial_bandwidth, layer.ridge)
    return keras.ops.broadcast_to(row, layer.mixing_coefficients.shape)

"""The pieces that every network is made of: convolution, hidden and last layers with their units.

Weights start from He's normal distribution (2015, arXiv 1502.01852), those of the last layer from
Glorot's uniform one. The N(0, 0.01^2) of the symmetric-activation study is left out on purpose: it
relies on batch normalisation everywhere and small steps, and dies without.
"""

from typing import Any

import keras

from robust_keras.models.activations import ACTIVATIONS, Activation

_INITIALIZER = "he_normal"


def activated(
    x: keras.KerasTensor, activation: Activation, name: str, *, normalise: bool = False
) -> keras.KerasTensor:
    """The activation, after batch normalisation if asked for or needed."""
    if normalise or activation.normalised:
        x = keras.layers.BatchNormalization(
            momentum=activation.momentum,
            gamma_initializer=keras.initializers.Constant(activation.scale),
            beta_initializer=keras.initializers.Constant(activation.shift),
            name=f"{name}_normalization",
        )(x)
    return activation.layer(len(x.shape), f"{name}_activation")(x)


def convolution(
    x: keras.KerasTensor,
    filters: int,
    size: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    use_bias: bool = True,
) -> keras.KerasTensor:
    """A convolution alone, linear."""
    return keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding=padding,
        use_bias=use_bias,
        kernel_initializer=_INITIALIZER,
        name=name,
    )(x)


def features(
    x: keras.KerasTensor,
    filters: int,
    size: int,
    activation: Activation,
    name: str,
    *,
    normalise: bool = False,
    **settings: Any,
) -> keras.KerasTensor:
    """Convolution, batch normalisation (if asked for or needed), activation.

    Args:
        x: (batch, height, width, channels).
        filters: number of output channels.
        size: of the square kernel.
        activation: an `Activation`.
        name: of the convolution; the other layers' names begin with it.
        normalise: whether this network has batch normalisation of its own here.
        **settings: `strides` and `padding` of the convolution.

    Returns:
        (batch, new height, new width, filters).
    """
    # The shift of batch normalisation does a bias's work.
    use_bias = not (normalise or activation.normalised)
    x = convolution(x, filters, size, name, use_bias=use_bias, **settings)
    return activated(x, activation, name, normalise=normalise)


def hidden(
    x: keras.KerasTensor, units: int, activation: Activation, name: str, *, first: bool = False
) -> keras.KerasTensor:
    """A hidden dense layer with its activation.

    Args:
        x: (batch, features).
        units: number of outputs.
        activation: an `Activation`; a symmetric one gives batch normalisation and ReLU instead.
        name: of the dense layer.
        first: there is no convolution before, so that a symmetric activation belongs here.

    Returns:
        (batch, units).
    """
    symmetric_elsewhere = activation.symmetric and not first
    normalise = activation.normalised
    used = ACTIVATIONS["relu"] if symmetric_elsewhere else activation
    x = keras.layers.Dense(
        units, use_bias=not normalise, kernel_initializer=_INITIALIZER, name=name
    )(x)
    return activated(x, used, name, normalise=normalise)


def classifier(x: keras.KerasTensor, num_classes: int, activation: Activation) -> keras.KerasTensor:
    """The last layer: logits (batch, num_classes) in float32 whatever the dtype policy.

    A symmetric-activation network ends in an RBF unit y = exp(-z^2), whose logits are
    log y = -z^2.
    """
    if not activation.symmetric:
        return keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
    # All z start near 1, on one side of the peak: at z = 0 the gradient of every class vanishes.
    z = keras.layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.VarianceScaling(0.1, "fan_avg"),
        bias_initializer="ones",
        dtype="float32",
        name="scores",
    )(x)
    # Stock layers, so that a stranger's Keras can rebuild this part.
    squares = keras.layers.Multiply(dtype="float32", name="squares")([z, z])
    return keras.layers.Rescaling(-1.0, dtype="float32", name="logits")(squares)

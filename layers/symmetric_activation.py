"""Symmetric activations, which answer only to inputs near zero."""

import keras

from layers.arguments import choice
from layers.float_layer import FloatLayer


def mrelu(inputs):
    """Returns max(1 - |x|, 0)."""
    return keras.ops.relu(1.0 - keras.ops.abs(inputs))


def rbf(inputs):
    """Returns exp(-x^2)."""
    return keras.ops.exp(-keras.ops.square(inputs))


KINDS = {"mrelu": mrelu, "rbf": rbf}


@keras.saving.register_keras_serializable(package="robust_keras")
class SymmetricActivation(FloatLayer):
    """Symmetric activation function: mirrored ReLU or radial basis function.

    Formula: `mrelu(x) = max(1 - |x|, 0)`, `rbf(x) = exp(-x^2)`.

    Both vanish away from zero, and so do their gradients: put batch normalisation before them,
    and attack such a model with scale-free losses.

    Args:
        kind: `"mrelu"` or `"rbf"`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape: any. Output shape: the input's.

    Raises:
        ValueError: if `kind` is unknown or the input is not floating point.

    Reference: Zhao and Griffin, "Suppressing the Unusual: towards Robust CNNs using Symmetric
    Activation Functions", 2016, arXiv 1603.05145.

    Example:
        >>> float(SymmetricActivation(kind="mrelu")(np.array([0.25])))
        0.75
    """

    def __init__(self, kind="mrelu", **kwargs):
        super().__init__(**kwargs)
        self.kind = choice("kind", kind, KINDS)

    def call(self, inputs):
        """Applies the function to every element."""
        return self.narrow(KINDS[self.kind](self.widen(inputs)))

    def get_config(self):
        """Returns the arguments that rebuild the layer."""
        return {**super().get_config(), "kind": self.kind}

"""Symmetric activations, which answer only to inputs near zero."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras.arguments import choice
from robust_keras.layers.elementwise import elementwise
from robust_keras.layers.float_layer import FloatLayer


def _mrelu_value(inputs):
    return tf.nn.relu(1.0 - tf.abs(inputs))


def _mrelu_slope(inputs):
    inside = tf.cast(tf.abs(inputs) < 1.0, inputs.dtype)
    return -tf.sign(inputs) * inside


def _rbf_value(inputs):
    return tf.exp(-tf.square(inputs))


def _rbf_slope(inputs):
    return -2.0 * inputs * _rbf_value(inputs)


KINDS = {
    "mrelu": elementwise(_mrelu_value, _mrelu_slope),
    "rbf": elementwise(_rbf_value, _rbf_slope),
}


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
        >>> float(SymmetricActivation(kind="mrelu")(np.array([0.25]))[0])
        0.75
    """

    def __init__(self, kind: str = "mrelu", **kwargs: Any):
        super().__init__(**kwargs)
        self.kind = choice("kind", kind, KINDS)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Applies the function to every element."""
        return self.narrow(KINDS[self.kind](self.widen(inputs)))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {**super().get_config(), "kind": self.kind}

"""Smooth approximations of ReLU for adversarial training."""

import math
from typing import Any

import keras
import tensorflow as tf

from robust_keras.arguments import flag, positive
from robust_keras.layers.elementwise import elementwise
from robust_keras.layers.float_layer import FloatLayer


# The logarithm sees only the rectified input: its argument never leaves its domain.
def _smooth_relu_value(inputs, beta):
    rectified = tf.nn.relu(inputs)
    return rectified - tf.math.log1p(beta * rectified) / beta


def _smooth_relu_slope(inputs, beta):
    scaled = beta * tf.nn.relu(inputs)
    return scaled / (scaled + 1.0)


def _smooth_relu_beta_slope(inputs, beta):
    scaled = beta * tf.nn.relu(inputs)
    return (tf.math.log1p(scaled) - scaled / (scaled + 1.0)) / tf.square(beta)


def _softplus_value(inputs, sharpness):
    return tf.math.softplus(sharpness * inputs) / sharpness


def _softplus_slope(inputs, sharpness):
    return tf.sigmoid(sharpness * inputs)


def _softplus_sharpness_slope(inputs, sharpness):
    scaled = sharpness * inputs
    slope = scaled * tf.sigmoid(scaled) - tf.math.softplus(scaled)
    return slope / tf.square(sharpness)


smooth_relu = elementwise(_smooth_relu_value, _smooth_relu_slope, _smooth_relu_beta_slope)
parametric_softplus = elementwise(_softplus_value, _softplus_slope, _softplus_sharpness_slope)


class _SharpenedLayer(FloatLayer):
    """A layer with one positive scalar, stored as its root so that training keeps its sign."""

    def add_root(self, name, value, trainable):
        """Adds the scalar weight whose square is `value`."""
        return self.add_weight(
            name=name,
            shape=(),
            initializer=keras.initializers.Constant(math.sqrt(value)),
            trainable=trainable,
            dtype=self.inner_dtype,
            autocast=False,
        )

    def square(self, root):
        """Returns the scalar; the floor keeps a root that training drove to zero finite."""
        return tf.maximum(tf.square(root.value), 1e-6)


@keras.saving.register_keras_serializable(package="robust_keras")
class SmoothReLU(_SharpenedLayer):
    """ReLU with a continuous derivative and a trainable sharpness.

    Formula: `f(x) = x - log(beta x + 1) / beta` for x >= 0, 0 for x < 0, with `beta = r^2` and the
    scalar r trained; f'(x) = beta x / (beta x + 1).

    Args:
        beta: sharpness at the start, > 0; the default is r = 20.
        **kwargs: arguments of `keras.layers.Layer`; `trainable=False` keeps beta fixed.

    Input shape: any. Output shape: the input's.

    Raises:
        ValueError: if `beta` is out of range or the input is not floating point.

    Reference: Xie et al., "Smooth Adversarial Training", 2020, arXiv 2006.14536.

    Example:
        >>> float(SmoothReLU()(np.array([-1.0]))[0])
        0.0
    """

    def __init__(self, beta: float = 400.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.beta = positive("beta", beta)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the root of beta."""
        self.root = self.add_root("root", self.beta, trainable=True)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Applies the function to every element."""
        return self.narrow(smooth_relu(self.widen(inputs), self.square(self.root)))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {**super().get_config(), "beta": self.beta}


@keras.saving.register_keras_serializable(package="robust_keras")
class ParametricSoftplus(_SharpenedLayer):
    """Softplus with a sharpness; it tends to ReLU as the sharpness grows.

    Formula: `f(x) = log(1 + exp(a x)) / a`.

    Args:
        sharpness: a, > 0.
        trainable_sharpness: whether a is trained (as the square of a scalar, so it stays > 0).
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape: any. Output shape: the input's.

    Raises:
        ValueError: if an argument is out of range or the input is not floating point.

    Reference: Xie et al., "Smooth Adversarial Training", 2020, arXiv 2006.14536.

    Example:
        >>> round(float(ParametricSoftplus()(np.array([0.0]))[0]), 4)
        0.0693
    """

    def __init__(self, sharpness: float = 10.0, trainable_sharpness: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.sharpness = positive("sharpness", sharpness)
        self.trainable_sharpness = flag("trainable_sharpness", trainable_sharpness)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the root of the sharpness."""
        self.root = self.add_root("root", self.sharpness, trainable=self.trainable_sharpness)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Applies the function to every element."""
        return self.narrow(parametric_softplus(self.widen(inputs), self.square(self.root)))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {
            **super().get_config(),
            "sharpness": self.sharpness,
            "trainable_sharpness": self.trainable_sharpness,
        }

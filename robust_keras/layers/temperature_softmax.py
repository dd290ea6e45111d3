"""Softmax with a temperature."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.layers.float_layer import FloatLayer


@keras.saving.register_keras_serializable(package="robust_keras")
class TemperatureSoftmax(FloatLayer):
    """Softmax of logits divided by a temperature, over the last axis.

    Formula: `p_k = exp(z_k / T) / sum_i exp(z_i / T)`.

    The decision (argmax) does not depend on T. A model that is trained at a high T and attacked at
    T = 1 hides its gradients behind saturated probabilities: that is no robustness.

    Args:
        temperature: T, a number from 1e-6 to 1e6.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape: (..., classes). Output shape: the input's.

    Raises:
        ValueError: if `temperature` is out of range or the input is not floating point.

    Reference: Papernot et al., "Distillation as a Defense to Adversarial Perturbations against
    Deep Neural Networks", 2015, arXiv 1511.04508.

    Example:
        >>> TemperatureSoftmax(temperature=2.0)(np.array([[2.0, 0.0]])).shape
        TensorShape([1, 2])
    """

    def __init__(self, temperature: float = 1.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.temperature = arguments.temperature("temperature", temperature)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Turns logits into probabilities."""
        return self.narrow(keras.ops.softmax(self.widen(inputs) / self.temperature, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {**super().get_config(), "temperature": self.temperature}

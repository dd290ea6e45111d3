"""How sure a classifier is of an answer, and when it declines to give one, kept in the model."""

from typing import Any

import keras
import tensorflow as tf

from robust_keras import arguments
from robust_keras.layers.activation_before import activation_before
from robust_keras.layers.float_layer import FloatLayer

CONFIDENCES = ("softmax", "rbf")
_SMALLEST = 1e-30  # probability whose logarithm is taken


@keras.saving.register_keras_serializable(package="robust_keras")
class RejectionRule(FloatLayer):
    """Passes logits on unchanged, and knows which answers are no answers.

    An image is rejected if its class is one of the last `nonsense_classes`, or its confidence is
    below `threshold` or no number. Confidence is the largest softmax(z / T), or exp(largest z) for
    models that end in an RBF unit. Put it last in a model: the rule is saved with it, exported with
    it, and evaluated with it. After a softmax or a sigmoid of Keras, as a layer, an activation or
    the end of a model inside, what it is given are probabilities p, and log p is z. One column is
    two classes.

    Args:
        nonsense_classes: how many of the classes, the last ones, mean nonsense; at least 0.
        threshold: lowest confidence that is accepted, in [0, 1); 0 accepts any. None, only without
            nonsense classes, rejects nothing: the layer then only tells how sure the model is.
        confidence: "softmax" or "rbf".
        temperature: T, a number from 1e-6 to 1e6, of the softmax.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape: (..., classes). Output shape: the input's.

    Raises:
        ValueError: an argument is out of its range, all the input's classes are nonsense, or
            confidence="rbf" after a softmax.

    Reference: Zhao and Griffin, "Suppressing the Unusual: towards Robust CNNs using Symmetric
    Activation Functions", 2016, arXiv 1603.05145.

    Example:
        >>> rule = RejectionRule(nonsense_classes=1)
        >>> rule.rejected(np.array([[2.0, 0.0, 1.0], [0.0, 1.0, 2.0]])).numpy()
        array([False,  True])
    """

    def __init__(
        self,
        nonsense_classes: int = 0,
        threshold: float | None = 0.0,
        confidence: str = "softmax",
        temperature: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.nonsense_classes = arguments.whole("nonsense_classes", nonsense_classes, least=0)
        self.threshold = _checked_threshold(threshold, self.nonsense_classes)
        self.confidence = arguments.choice("confidence", confidence, CONFIDENCES)
        self.temperature = arguments.temperature("temperature", temperature)
        self._after = None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Refuses logits of nonsense classes only."""
        if input_shape[-1] is not None and input_shape[-1] <= self.nonsense_classes:
            arguments.refuse(
                "nonsense_classes", f"fewer than {input_shape[-1]}", self.nonsense_classes
            )
        super().build(input_shape)

    def compute_output_spec(self, inputs: tf.Tensor, *args: Any, **kwargs: Any) -> Any:
        """Looks at what comes before, while a functional or sequential model is made."""
        self._look_before(inputs)
        return super().compute_output_spec(inputs, *args, **kwargs)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Returns the logits, or probabilities, as they are."""
        self._look_before(inputs)
        self.require_float(inputs)
        return self.narrow(inputs)

    def probabilities(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns softmax(z / T), (..., classes), of what the layer hands on."""
        return keras.ops.softmax(self._logits(outputs) / self.temperature, axis=-1)

    def confidences(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns the confidence (...,) in [0, 1] of what the layer hands on, (..., classes)."""
        if self.confidence == "rbf":
            largest = keras.ops.max(self._logits(outputs), axis=-1)
            return keras.ops.minimum(keras.ops.exp(largest), 1.0)
        return keras.ops.max(self.probabilities(outputs), axis=-1)

    def rejected(self, outputs: tf.Tensor) -> tf.Tensor:
        """Returns which images are rejected, bool (...,), from what the layer hands on."""
        logits = self._logits(outputs)
        real = logits.shape[-1] - self.nonsense_classes
        is_nonsense = keras.ops.argmax(logits, axis=-1) >= real
        if self.threshold is None:
            return is_nonsense
        confidences = self.confidences(outputs)
        # Said by itself: TensorFlow rewrites `not (a >= b)` as `a < b`.
        unsure = keras.ops.logical_or(keras.ops.isnan(confidences), confidences < self.threshold)
        return keras.ops.logical_or(is_nonsense, unsure)

    def _look_before(self, inputs):
        found = activation_before(inputs)
        if found is None:
            return  # what is called inside a graph of Keras' own tells nothing
        if self.confidence == "rbf":
            arguments.refuse("confidence", f"'softmax' after a {found}", self.confidence)
        self._after = found

    def _logits(self, outputs):
        """Logits of at least two classes, in the dtype of the computation."""
        scores = self.widen(keras.ops.convert_to_tensor(outputs))
        if self._after == "sigmoid":
            scores = _logarithm(scores) - _logarithm(1.0 - scores)
        elif self._after == "softmax":
            scores = _logarithm(scores)
        if scores.shape[-1] == 1:
            scores = keras.ops.concatenate([keras.ops.zeros_like(scores), scores], axis=-1)
        return scores

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments that rebuild the layer."""
        return {
            **super().get_config(),
            "nonsense_classes": self.nonsense_classes,
            "threshold": self.threshold,
            "confidence": self.confidence,
            "temperature": self.temperature,
        }


def _checked_threshold(threshold, nonsense_classes):
    if threshold is None and nonsense_classes == 0:
        return None
    if not isinstance(threshold, int | float) or not 0 <= threshold < 1:
        arguments.refuse("threshold", "a number in [0, 1)", threshold)
    return float(threshold)


def _logarithm(probabilities):
    # Not `maximum`, which could hide that a probability is no number.
    tiny = keras.ops.cast(_SMALLEST, probabilities.dtype)
    return keras.ops.log(keras.ops.where(probabilities < tiny, tiny, probabilities))

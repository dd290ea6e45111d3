"""A loaded image classifier, ready to be attacked."""

import copy
import pathlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from robust_keras.serving import probing
from robust_keras.serving.confidence import ConfidenceRule
from robust_keras.serving.weights import count_parameters, kernel_sparsity

# Images on which gradients and repeated answers are tried.
_TRIED = 8


class Classifier:
    """A classifier from images to logits, in inference mode, whatever file it came from.

    Args:
        path: where it came from, for messages and reports.
        format: "saved_model" or "keras".
        reading: `Reading`, how it is asked and its answers are read.
        rejection: the model's `Rejection` rule, or None.

    Attributes:
        path, format, rejection: as given.
        output_kind: "logits", or "probabilities" where the model as saved gives those.
        num_classes: number of columns of its logits.
        pixels: what the model itself is shown: "0..1", "0..255", "-1..1" or "caffe". Whatever it
            is, `logits` takes images in [0, 1].
        confidence: the `ConfidenceRule` by which the model is served; softmax unless set.
        notes: plain sentences on what is unusual about how it is asked and read.
        nonsense_classes: how many of the classes, the last ones, mean nonsense.
        image_shape: (height, width, channels); None where the model leaves it open.
        logits: `tf.function` from (batch, height, width, channels) float32 in [0, 1] to float32
            (batch, num_classes). Always the same object, traced once, differentiable.
        parameters: number of weights, None if unknown.
        sparsity: fraction of zeros in the kernels, None if unknown.
        gradient_error: None, or a sentence that says why gradients cannot be had.
        deterministic: whether two identical calls gave identical logits.
        unscaled: the classifier whose logits these are, before `at_temperature` scaled them.
    """

    def __init__(
        self, path: str | pathlib.Path, format: str, reading: Any, *, rejection: Any = None
    ):
        endpoint = reading.endpoint
        self.path = path
        self.format = format
        self.output_kind = reading.scores.kind
        self.num_classes = reading.scores.num_classes
        self.pixels = reading.pixels
        self.notes = reading.notes
        self.rejection = rejection
        self.confidence = ConfidenceRule()
        self.nonsense_classes = rejection.nonsense_classes if rejection else 0
        self.image_shape = tuple(endpoint.batch_shape[1:])
        self.parameters = count_parameters(endpoint.variables)
        self.sparsity = kernel_sparsity(endpoint.variables)
        self.unscaled = self
        # Functions read from a file do not keep their variables alive.
        self._owner = endpoint
        self._probes = reading.probes[:_TRIED]
        self.logits = _logits_function(endpoint, reading.scores)
        self.deterministic = probing.deterministic(self.logits, self._probes)
        self.gradient_error = probing.gradient_error(self.logits, self._probes)

    def at_temperature(self, temperature: float) -> "Classifier":
        """The same classifier to an attacker who takes its logits divided by T.

        Its answers are the same, as the largest logit stays the largest; gradients of a
        cross-entropy are not. A model trained at a high temperature has logits so large that the
        softmax saturates and an attacker who does not divide them by T finds no gradient. An
        attacker who knows no T removes it: each image's logits are divided by their standard
        deviation, so that no scale saturates anything.

        Args:
            temperature: T > 0, or "removed".

        Raises:
            ValueError: the temperature is neither.
        """
        if temperature == "removed":
            return self._scaled(_without_scale)
        if isinstance(temperature, str) or not temperature > 0:
            raise ValueError(
                f'`temperature` must be above 0 or "removed". Received: temperature={temperature}'
            )
        if temperature == 1.0:
            return self
        return self._scaled(lambda logits: logits / temperature)

    def _scaled(self, function):
        other = self.with_logits(lambda images: function(self.logits(images)))
        other.unscaled = self
        return other

    def with_logits(self, function: Callable) -> "Classifier":
        """The same classifier with other logits, compiled; whether they have gradients is tried.

        Args:
            function: from (batch, height, width, channels) float32 to float32 (batch, classes).
        """
        other = copy.copy(self)
        spec = tf.TensorSpec((None, *self.image_shape), tf.float32, name="images")

        def logits(images):
            return tf.ensure_shape(function(images), (None, self.num_classes))

        other.unscaled = other
        other.logits = tf.function(logits, input_signature=[spec], autograph=False)
        other.gradient_error = probing.gradient_error(other.logits, self._probes)
        return other

    def __repr__(self):
        return f"Classifier({str(self.path)!r}, {self.image_shape} -> {self.num_classes} classes)"


def _without_scale(logits):
    """Logits over their own standard deviation, which counts as a constant on the way back.

    Were it differentiated, two classes would have no gradient: their ratio to it never changes.
    """
    spread = tf.stop_gradient(tf.math.reduce_std(logits, axis=-1, keepdims=True))
    return logits / tf.where(spread > 0.0, spread, tf.ones_like(spread))


def _logits_function(endpoint, scores):
    """The compiled function from any number of float32 images to float32 logits."""

    def some(images):
        return scores.logits(endpoint.run(images))

    batch, *image_shape = endpoint.batch_shape
    function = some if batch is None else _in_chunks(some, batch, scores.num_classes)

    def logits(images):
        return tf.ensure_shape(function(images), (None, scores.num_classes))

    spec = tf.TensorSpec((None, *image_shape), tf.float32, name="images")
    return tf.function(logits, input_signature=[spec], autograph=False)


def _in_chunks(function, size, num_classes):
    """The same function for any batch size, where it takes exactly `size` images at once."""

    def chunked(images):
        count = tf.shape(images)[0]
        missing = tf.math.floormod(-count, size)
        # Copies of the first image: what a model makes of black ones is nobody's business.
        more = tf.repeat(images[:1], missing, axis=0)
        padded = tf.concat([images, more], axis=0)
        chunks = tf.reshape(padded, tf.concat([[-1, size], tf.shape(images)[1:]], axis=0))
        spec = tf.TensorSpec((size, num_classes), tf.float32)
        rows = tf.map_fn(
            lambda chunk: tf.ensure_shape(function(chunk), (size, num_classes)),
            chunks,
            fn_output_signature=spec,
        )
        return tf.reshape(rows, (-1, num_classes))[:count]

    return chunked

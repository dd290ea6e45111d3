"""A loaded image classifier, ready to be attacked."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras import compiled
from robust_keras.serving import probing
from robust_keras.serving.confidence import ConfidenceRule
from robust_keras.serving.rejection import Rejection
from robust_keras.serving.views import attacker, one_piece
from robust_keras.serving.weights import count_parameters, kernel_sparsity

# Images on which gradients and repeated answers are tried.
_TRIED = 8


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Classifier:
    """A classifier from images to logits, in inference mode, whatever file it came from.

    A value that nobody changes: views of it are others, and it is compared by identity.

    Args:
        path: where it came from, for messages and reports.
        format: "saved_model" or "keras".
        image_shape: (height, width, channels); None where the model leaves it open.
        num_classes: number of columns of its logits.
        logits: `tf.function` from (batch, height, width, channels) float32 in [0, 1] to float32
            (batch, num_classes). Always the same object, traced once, differentiable.
        gradient_error: None, or a sentence that says why gradients cannot be had.
        deterministic: whether two identical calls gave identical logits.
        output_kind: "logits", or "probabilities" where the model as saved gives those.
        pixels: what the model itself is shown: "0..1", "0..255", "-1..1" or "caffe". Whatever it
            is, `logits` takes images in [0, 1].
        confidence: the `ConfidenceRule` by which the model is served.
        rejection: the model's `Rejection` rule, or None.
        notes: plain sentences on what is unusual about how it is asked and read.
        parameters: number of weights, None if unknown.
        sparsity: fraction of zeros in the kernels, None if unknown.
        passes: of the model for one answer, above 1 where it is an average.
        aimed_at: the class that an attacker wants, where these logits are those of `aimed`.
        scaled_from: the classifier whose logits these are, before they were scaled; or None.
        probes: float32 array of images on which gradients are tried.
        owner: what must stay alive for `logits` to work: functions read from a file do not keep
            their variables alive.
    """

    path: str | pathlib.Path
    format: str
    image_shape: tuple[int | None, ...]
    num_classes: int
    logits: Callable
    gradient_error: str | None
    deterministic: bool
    output_kind: str
    pixels: str
    confidence: ConfidenceRule
    rejection: Rejection | None
    notes: tuple[str, ...]
    parameters: int | None
    sparsity: float | None
    probes: np.ndarray
    owner: Any
    passes: int = 1
    aimed_at: int | None = None
    scaled_from: "Classifier | None" = None

    @property
    def nonsense_classes(self) -> int:
        """How many of the classes, the last ones, mean nonsense."""
        return self.rejection.nonsense_classes if self.rejection else 0

    @property
    def unscaled(self) -> "Classifier":
        """The classifier whose logits these are, before `at_temperature` scaled them."""
        return self.scaled_from or self

    @functools.cached_property
    def in_one_piece(self) -> Callable:
        """The same function as `logits`, whose gradient costs less; see `views.one_piece`."""
        return one_piece.logits_of(self)

    def at_temperature(self, temperature: float | str) -> "Classifier":
        """The same to an attacker who divides its logits; see `attacker.at_temperature`."""
        return attacker.at_temperature(self, temperature)

    def with_logits(self, function: Callable, **changed: Any) -> "Classifier":
        """The same classifier with other logits, compiled; whether they have gradients is tried.

        Args:
            function: from (batch, height, width, channels) float32 to float32 (batch, classes).
            **changed: other fields, by name.
        """
        num_classes = changed.get("num_classes", self.num_classes)

        def logits(images):
            return tf.ensure_shape(function(images), (None, num_classes))

        spec = tf.TensorSpec((None, *self.image_shape), tf.float32, name="images")
        other = compiled.function(logits, [spec])
        error = probing.gradient_error(other, self.probes)
        fields = {"logits": other, "gradient_error": error, "scaled_from": None, **changed}
        return dataclasses.replace(self, **fields)

    def with_notes(self, *sentences: str) -> "Classifier":
        """The same classifier with more notes."""
        return dataclasses.replace(self, notes=(*self.notes, *sentences))

    def __repr__(self) -> str:
        return f"Classifier({str(self.path)!r}, {self.image_shape} -> {self.num_classes} classes)"


def keras_model(classifier: Any) -> keras.Model | None:
    """The Keras model that a classifier was made of, however deep it holds it; or None.

    Args:
        classifier: an `Attackable`; one that tells no `owner` was made of none.
    """
    owner = getattr(classifier, "owner", None)
    while owner is not None and not isinstance(owner, keras.Model):
        owner = getattr(owner, "owner", None)
    return owner


def from_reading(
    path: str | pathlib.Path,
    format: str,
    reading: Any,
    *,
    confidence: ConfidenceRule,
    rejection: Rejection | None,
) -> Classifier:
    """The `Classifier` of a model that is asked and read as a `Reading` says.

    Args:
        path: where it came from.
        format: "saved_model" or "keras".
        reading: `Reading`, how it is asked and its answers are read.
        confidence: the `ConfidenceRule` by which it is served.
        rejection: its `Rejection` rule, or None.
    """
    endpoint, scores, probes = reading.endpoint, reading.scores, reading.probes[:_TRIED]
    logits = _logits_function(endpoint, scores)
    return Classifier(
        path=path,
        format=format,
        image_shape=tuple(endpoint.batch_shape[1:]),
        num_classes=scores.num_classes,
        logits=logits,
        deterministic=probing.deterministic(logits, probes),
        gradient_error=probing.gradient_error(logits, probes),
        output_kind=scores.kind,
        pixels=reading.pixels,
        confidence=confidence,
        rejection=rejection,
        notes=tuple(reading.notes),
        parameters=count_parameters(endpoint.variables),
        sparsity=kernel_sparsity(endpoint.variables),
        probes=probes,
        owner=endpoint,
    )


def _logits_function(endpoint, scores):
    """The compiled function from any number of float32 images to float32 logits."""

    def some(images):
        return scores.logits(endpoint.run(images))

    batch, *image_shape = endpoint.batch_shape
    function = some if batch is None else _in_chunks(some, batch, scores.num_classes)

    def logits(images):
        return tf.ensure_shape(function(images), (None, scores.num_classes))

    spec = tf.TensorSpec((None, *image_shape), tf.float32, name="images")
    return compiled.function(logits, [spec])


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

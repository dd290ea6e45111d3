"""Models as a Python program has them: in memory, as files, or as functions."""

import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras import distribution, serving
from robust_keras.engine import Replicas
from robust_keras.errors import InputError, first_line
from robust_keras.runs.model_loading import load_copies, refuse_twins, tell_notes
from robust_keras.settings.config import EvaluateConfig

_EXPECTED = (
    "a Keras model, a path of a SavedModel or .keras file, a function from images to logits (with "
    "num_classes=...), or a dict from a name to any of these"
)
# Images on which a function is tried before it is attacked.
_ASKED = 2


def named(model: Any) -> dict[str, Any]:
    """The models by the names under which they are reported.

    Args:
        model: one model, or a mapping from names to models.

    Raises:
        InputError: it is nothing that can be attacked, or a name is blank.
    """
    models = dict(model) if isinstance(model, Mapping) else {_name(model): model}
    for name, value in models.items():
        if not isinstance(name, str) or not name.strip():
            raise InputError.expected("model", "names that are not blank", repr(name))
        if not (isinstance(value, (keras.Model, str, os.PathLike)) or callable(value)):
            raise InputError.expected("model", _EXPECTED, type(value).__name__)
    if not models:
        raise InputError.expected("model", "at least one model", "an empty dict")
    refuse_twins([str(value) for value in models.values() if _is_path(value)])
    return models


def copies(
    models: Mapping[str, Any],
    examples: Any,
    num_classes: int | None,
    config: EvaluateConfig,
    *,
    tell: bool,
) -> list[Replicas]:
    """Every model ready to be attacked.

    Args:
        models: as `named` gives them.
        examples: `serving.Examples`, clean images to try them on.
        num_classes: columns of a function's answer; models know their own.
        config: an `EvaluateConfig`.
        tell: whether the terminal is told at once what is unusual about how a model is read.

    Raises:
        InputError: a model cannot be used.
    """
    devices = distribution.devices(config.distribute)
    in_memory = [name for name, value in models.items() if not _is_path(value)]
    if len(devices) > 1 and in_memory:
        expected = "none for models in memory, which have one device (a path can be copied)"
        raise InputError.expected("distribute", expected, config.distribute)
    found = []
    for name, value in models.items():
        if _is_path(value):
            replicas = load_copies(value, examples, devices, config)
        else:
            if not isinstance(value, keras.Model):
                value = _as_model(value, name, examples.images, num_classes)
            classifier = serving.from_keras(
                value,
                path=name,
                examples=examples,
                pixels=config.model_pixels,
                output=config.output,
            )
            replicas = Replicas([classifier])
        found.append(replicas)
        if tell:
            tell_notes(name, replicas.first)
    return found


def _is_path(model):
    return isinstance(model, (str, os.PathLike))


def _name(model):
    if _is_path(model):
        return str(pathlib.Path(model))
    return getattr(model, "name", None) or getattr(model, "__name__", type(model).__name__)


def _as_model(function, name, images, num_classes):
    """A Keras model of a function; of one that TensorFlow cannot follow without gradients."""
    if not isinstance(num_classes, int) or isinstance(num_classes, bool) or num_classes < 2:
        expected = f"the number of classes that {name} tells apart, as num_classes=10"
        raise InputError.expected("num_classes", expected, num_classes)
    layer = _Function(function, name, num_classes)
    layer.ask(images[:_ASKED])
    inputs = keras.Input(images.shape[1:], name="images")
    return keras.Model(inputs, layer(inputs), name="function")


class _Function(keras.layers.Layer):
    """A function from images (batch, height, width, channels) to logits (batch, classes)."""

    def __init__(self, function: Callable[[Any], Any], named: str, num_classes: int):
        super().__init__(dtype="float32")
        self._function = function
        self._named = named
        self._num_classes = num_classes
        self._followed = False

    def ask(self, images):
        """Finds out how it can be asked; raises InputError where it does not answer with logits."""
        self._followed = self._can_be_followed(images.shape[1:])
        self._in_numpy(tf.constant(images) if self._followed else images)

    def compute_output_spec(self, inputs):
        """Known without asking the function."""
        return keras.KerasTensor((inputs.shape[0], self._num_classes), "float32")

    def call(self, images):
        """The function's answers."""
        if self._followed:
            answers = self._function(images)
        else:
            answers = tf.numpy_function(self._in_numpy, [images], tf.float32, stateful=False)
        return tf.ensure_shape(tf.cast(answers, tf.float32), (None, self._num_classes))

    def _can_be_followed(self, image_shape):
        """Whether it is made of operations of TensorFlow; a numpy function cannot be traced."""
        spec = tf.TensorSpec((None, *image_shape), tf.float32)
        try:
            traced = tf.function(self._function, autograph=False).get_concrete_function(spec)
        # A function of another library raises whatever that library raises for a tensor.
        except Exception:  # noqa: BLE001
            return False
        return bool(tf.is_tensor(traced.structured_outputs))

    def _in_numpy(self, images):
        try:
            answers = np.asarray(self._function(images), np.float32)
        # A stranger's function may raise anything.
        except Exception as error:
            raise InputError.expected(
                self._named, "logits of a batch of images", first_line(error)
            ) from error
        if answers.shape != (len(images), self._num_classes):
            expected = f"logits of shape ({len(images)}, {self._num_classes})"
            raise InputError.expected(self._named, expected, f"shape {answers.shape}")
        return answers

"""Whether a loss takes logits or probabilities, and what it is given instead of the outputs."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.training.head import Head


def takes(loss: Any) -> str | None:
    """What a loss was made for: "logits", "probabilities", or None where it does not say.

    Args:
        loss: a keras.losses.Loss or a function, as `keras.losses.get` returns it.
    """
    from_logits = _from_logits(loss)
    if from_logits is None:
        return None
    return "logits" if from_logits else "probabilities"


def for_loss(loss: Any, head: Head, outputs: tf.Tensor) -> tf.Tensor:
    """The outputs as the loss takes them: of a softmax its logits, where it wants logits."""
    return head.logits(outputs) if takes(loss) == "logits" else outputs


def check_loss(loss: Any, head: Head, name: str) -> None:
    """Refuses a loss on probabilities for a classifier that ends in logits.

    Raises:
        InputError: it would clip the logits to [0, 1], or takes one output for one class.
    """
    if head.columns == 1 and "categorical" in _name(loss):
        raise InputError.expected(
            "loss",
            f"keras.losses.BinaryCrossentropy for the one output of model '{name}'",
            f"{_name(loss)}, which needs one output a class",
        )
    if takes(loss) == "probabilities" and head.activation == "linear":
        raise InputError.expected(
            "loss",
            "one that takes logits, such as "
            "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
            f"one of probabilities, while model '{name}' ends in a layer without softmax",
        )


def crafting_loss(loss: Any, head: Head) -> Callable:
    """The function of (labels, outputs) that crafting climbs, free of a softmax' saturation.

    Returns:
        Function from labels and outputs (batch, columns) to one loss or (batch,) losses.
    """
    of_logits = loss
    if takes(loss) == "probabilities" and head.gives_probabilities:
        of_logits = _on_logits(loss)

    def value(labels, outputs):
        scores = for_loss(of_logits, head, outputs)
        return of_logits(_as_column(labels, scores) if head.columns == 1 else labels, scores)

    return value


def class_numbers(labels: tf.Tensor, head: Head) -> tf.Tensor:
    """Labels (n,), (n, 1), of any type, or one-hot, as int64 class numbers (n,).

    Args:
        labels: array or tensor.
        head: the classifier's `Head`.

    Raises:
        InputError: labels of another shape.
    """
    labels = tf.convert_to_tensor(labels)
    if labels.shape.rank == 2 and labels.shape[-1] == head.classes:
        return tf.argmax(labels, axis=-1)
    if labels.shape.rank == 1 or (labels.shape.rank == 2 and labels.shape[-1] == 1):
        return tf.cast(tf.reshape(labels, [-1]), tf.int64)
    expected = f"class numbers (n,) or (n, 1), or one-hot rows (n, {head.classes})"
    raise InputError.expected("labels", expected, f"shape {labels.shape}")


def check_labels(labels: Any, loss: Any, head: Head) -> None:
    """Raises InputError for one number an image that is no class: text, -1 and 1, counted from 1.

    Args:
        labels: array; rows, and whatever goes with a loss of another kind than cross-entropy, are
            left to the loss.
        loss: a keras.losses.Loss or a function, as `keras.losses.get` returns it.
        head: the classifier's `Head`.
    """
    values = np.asarray(labels)
    if takes(loss) is None or not values.size or values.size != len(values):
        return
    expected = "class numbers from 0 on" if head.columns > 1 else "0 and 1"
    expected = f"{expected}, for a classifier of {head.classes} classes"
    if values.dtype.kind not in "biuf":
        raise InputError.expected("labels", expected, f"{values.dtype} such as {values.flat[0]!r}")
    values = values[values != getattr(loss, "ignore_class", None)]
    if values.size and not (values.min() >= 0 and values.max() <= head.classes - 1):
        raise InputError.expected("labels", expected, f"{values.min()} .. {values.max()}")


def are_correct(labels: tf.Tensor, outputs: tf.Tensor, head: Head) -> tf.Tensor:
    """1 where the class is the label's, else 0: float32 (batch,); arguments as `class_numbers`."""
    classes = tf.argmax(head.class_logits(outputs), axis=-1)
    return tf.cast(class_numbers(labels, head) == classes, tf.float32)


def _as_column(labels, outputs):
    """Labels (n,) or (n, 1) of any type as a float column like the outputs."""
    labels = tf.convert_to_tensor(labels)
    if labels.shape.rank == 2 and labels.shape[-1] not in (None, 1):
        expected = "one number an image, 0 or 1, for a classifier of one output"
        raise InputError.expected("labels", expected, f"shape {labels.shape}")
    return tf.reshape(tf.cast(labels, outputs.dtype), (-1, 1))


def _from_logits(loss):
    """The loss' own `from_logits`, or None."""
    if isinstance(loss, keras.losses.Loss):
        # Losses that say nothing in their settings may say so as a class.
        found = getattr(loss, "from_logits", None)
        return _settings(loss).get("from_logits", found)
    try:
        default = inspect.signature(loss).parameters["from_logits"].default
    except (KeyError, ValueError, TypeError):
        return None
    return default if isinstance(default, bool) else None


def _name(loss):
    return str(getattr(loss, "name", getattr(loss, "__name__", "")))


def _settings(loss):
    """A loss' configuration; none where a user's own class cannot tell it."""
    try:
        return loss.get_config()
    except NotImplementedError:
        return {}


def _on_logits(loss):
    """The same loss on logits."""
    if isinstance(loss, keras.losses.Loss):
        return type(loss).from_config({**loss.get_config(), "from_logits": True})
    return functools.partial(loss, from_logits=True)

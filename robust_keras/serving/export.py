"""Writes a Keras model as a SavedModel that TensorFlow Serving loads as it is."""

import contextlib
import json
import pathlib

import keras
import tensorflow as tf

from robust_keras import layers
from robust_keras.directories import whole_files
from robust_keras.errors import InputError
from robust_keras.serving import rejection

CONFIDENCES = ("softmax", "rbf")


def export(model, directory, *, version=1, temperature=1.0, confidence="softmax", notes=None):
    """Writes `directory/version/`, a SavedModel that needs no Python, Keras or `layers` to load.

    Signatures, both from `images` (batch, height, width, channels), float32 in [0, 1]:

    * `serving_default`: `probabilities` = softmax(logits / T), float32 (batch, classes); `classes`,
      the most probable one, int64 (batch,); `confidence`, float32 (batch,) in [0, 1].
    * `logits`: `logits`, float32 (batch, classes), differentiable with respect to `images`.

    A model that ends in a `layers.RejectionRule` also tells `rejected`, bool (batch,), in
    `serving_default`: nonsense, or a confidence below the rule's threshold. Its signature
    `rejection_rule`, without inputs, tells `nonsense_classes` and `threshold`.

    Confidence is the largest probability ("softmax"), or exp(largest logit) ("rbf"): models that
    end in an RBF unit have the logits log y, so that is the unit's own answer y, which is small for
    every class on an image unlike anything known. Probabilities sum to one in both cases.

    The files are written elsewhere first and then renamed: a server that watches `directory` never
    sees half a model.

    Args:
        model: built `keras.Model` from one float image batch to one (batch, classes) of logits.
        directory: parent of the version directories; made if missing.
        version: whole number >= 1, the name of the version directory. Never overwritten.
        temperature: T, a finite number > 0; the `logits` signature is not divided by it.
        confidence: "softmax" or "rbf".
        notes: what to keep beside the model in `assets.extra`, where servers do not look: None, or
            mapping from a file's name to a value that JSON can hold.

    Returns:
        The `pathlib.Path` of the version directory.

    Raises:
        InputError: an argument is out of range, the model is no image classifier, or the version
            exists or cannot be written.

    Example:
        >>> export(model, "runs/example/serving")
        PosixPath('runs/example/serving/1')
    """
    target = _checked_target(directory, version)
    if confidence not in CONFIDENCES:
        raise InputError.expected("confidence", f"one of {', '.join(CONFIDENCES)}", confidence)
    archive = _archive(model, _softmax(temperature), confidence)
    try:
        with whole_files.reasons(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        with whole_files.writing(target) as written:
            archive.write_out(str(written), verbose=False)
            _write_notes(written / "assets.extra", notes or {})
    # TensorFlow's file system raises errors of its own kind.
    except (InputError, tf.errors.OpError) as error:
        # Only goes if it is empty: then it was made for this export.
        with contextlib.suppress(OSError):
            target.parent.rmdir()
        if isinstance(error, InputError):
            raise
        reason = str(error).splitlines()[0]
        raise InputError.expected(str(target), "a directory that can be written", reason) from error
    return target


def _write_notes(directory, notes):
    if notes:
        directory.mkdir(exist_ok=True)
    for name, value in notes.items():
        (directory / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _checked_target(directory, version):
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError.expected("version", "a whole number of at least 1", version)
    target = pathlib.Path(directory) / str(version)
    if target.exists():
        raise InputError.expected(str(target), "a version that is not there yet", "an existing one")
    return target


def _softmax(temperature):
    try:
        return layers.TemperatureSoftmax(temperature=temperature, dtype="float32")
    except (TypeError, ValueError) as error:
        raise InputError.expected("temperature", "a number above 0", temperature) from error


def _archive(model, softmax, confidence):
    """The export with its two signatures, not yet written."""
    spec = tf.TensorSpec(_image_batch_shape(model), tf.float32, name="images")
    rule = rejection.rule_of(model)

    def logits(images):
        return {"logits": tf.cast(model(images, training=False), tf.float32)}

    def serving_default(images):
        scores = logits(images)["logits"]
        probabilities = softmax(scores)
        if confidence == "rbf":
            confidences = tf.minimum(tf.exp(tf.reduce_max(scores, axis=-1)), 1.0)
        else:
            confidences = tf.reduce_max(probabilities, axis=-1)
        answers = {
            "probabilities": probabilities,
            "classes": tf.argmax(scores, axis=-1, output_type=tf.int64),
            "confidence": confidences,
        }
        if rule is not None:
            answers["rejected"] = rejection.rejected(rule, scores, confidences)
        return answers

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", serving_default, input_signature=[spec])
    archive.add_endpoint("logits", logits, input_signature=[spec])
    if rule is not None:
        archive.add_endpoint(
            rejection.SIGNATURE, rejection.rule_signature(rule), input_signature=[]
        )
    return archive


def _image_batch_shape(model):
    """(None, height, width, channels); InputError if the model does not map that to logits."""
    expected = "a built Keras model from one image batch to one (batch, classes) of logits"
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise InputError.expected("model", expected, f"{type(model).__name__} without known inputs")
    shapes = [tuple(tensor.shape) for tensor in inputs], [tuple(tensor.shape) for tensor in outputs]
    if [len(shape) for shape in shapes[0]] != [4] or [len(shape) for shape in shapes[1]] != [2]:
        raise InputError.expected("model", expected, f"inputs {shapes[0]}, outputs {shapes[1]}")
    return (None, *shapes[0][0][1:])

"""Writes a Keras model as a SavedModel that TensorFlow Serving loads as it is."""

import contextlib
import pathlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from robust_keras import arguments
from robust_keras.directories import whole_files
from robust_keras.errors import InputError
from robust_keras.layers.rejection_rule import CONFIDENCES
from robust_keras.serving import export_notes, formats, image_input, rejection, warm_up
from robust_keras.serving.class_scores import class_scores
from robust_keras.serving.inference_call import inference_call
from robust_keras.serving.signatures import class_names as named_classes
from robust_keras.serving.signatures import signatures


def export(
    model: keras.Model,
    directory: str | pathlib.Path,
    *,
    version: int = 1,
    temperature: float | None = None,
    confidence: str | None = None,
    image_shape: tuple[int, ...] | None = None,
    class_names: Sequence[str] = (),
    notes: Any = None,
    other_formats: Sequence[str] = (),
    examples: np.ndarray | None = None,
) -> pathlib.Path:
    """Writes `directory/version/`, a SavedModel that needs no Python, Keras or `layers` to load.

    Signatures, the first two from `images` (batch, height, width, channels), float32 in [0, 1]:

    * `serving_default`: `probabilities` = softmax(logits / T), float32 (batch, classes); `classes`,
      the most probable one, int64 (batch,); `confidence`, float32 (batch,) in [0, 1]; `valid`, bool
      (batch,), false where a pixel is not a number in [0, 1] (to 1e-6). Where one is no number at
      all, neither are probabilities and confidence.
    * `logits`: `logits`, float32 (batch, classes), differentiable with respect to `images`.
    * `uint8_images` and, of images of one known shape, `encoded_images`: what `serving_default`
      tells, of bytes 0..255, and of files of PNG, JPEG, GIF or BMP, string (batch,).
    * `class_names`, without inputs: the names, string (classes,), where they are given.

    A model that ends in a softmax, or in sigmoids, is served by the logits before it, and a model
    of one column, a logit or a sigmoid, as two classes. A layer that was given `training=True`
    while the model was made keeps its randomness, as in `model.export`; without one everything is
    in inference mode, random flips in front of the model included. Each weight is written once.

    A model that ends in a `layers.RejectionRule` also tells `rejected`, bool (batch,), in
    `serving_default`: nonsense, or a confidence below the rule's threshold. Two signatures without
    inputs tell the settings: `confidence_rule` the `kind` and `temperature`, `rejection_rule`,
    where there is a rule, `nonsense_classes` and `threshold`.

    Confidence is the largest probability ("softmax"), or exp(largest logit) ("rbf"): models that
    end in an RBF unit have the logits log y, so that is the unit's own answer y, which is small for
    every class on an image unlike anything known. Probabilities sum to one in both cases.

    Requests to warm up with are in `assets.extra`: TensorFlow Serving makes them before it takes
    the version into service, so that no caller waits for the first pass.

    The files are written elsewhere first and then renamed: a server that watches `directory` never
    sees half a model.

    Args:
        model: `keras.Model` from one float image batch to one (batch, columns) of logits or
            probabilities; built, or buildable from `image_shape`.
        directory: parent of the version directories; made if missing.
        version: whole number >= 1, the name of the version directory. Never overwritten.
        temperature: T, from 1e-6 to 1e6; the `logits` signature is not divided by it. None for
            that of the `layers.RejectionRule` at the model's end, 1 where there is none.
        confidence: "softmax" or "rbf"; None for that of the rule, softmax where there is none.
        image_shape: (height, width, channels), with None for open sides, of a model that does not
            declare it, as subclasses of `keras.Model`.
        class_names: one an output that means something, or none.
        notes: what to keep beside the model in `assets.extra`, where servers do not look: None, or
            mapping from a file's name to a value that JSON can hold.
        other_formats: any of "litert" and "onnx": the signature `serving_default` in these forms,
            too, as `assets.extra/model.tflite` and `model.onnx`. How far their answers are from the
            SavedModel's is noted beside them; more than 1e-5 is refused.
        examples: float32 images (images, height, width, channels) in [0, 1] on which they are
            compared; made up where None.

    Returns:
        The `pathlib.Path` of the version directory.

    Raises:
        InputError: an argument is out of range, the model is no image classifier, the version
            exists or cannot be written, or a format lacks an operation of the model.

    Example:
        >>> export(model, "runs/example/serving")
        PosixPath('runs/example/serving/1')
    """
    target = _checked_target(directory, version)
    formats.check_names(other_formats)
    if confidence not in (None, *CONFIDENCES):
        raise InputError.expected("confidence", f"one of {', '.join(CONFIDENCES)}", confidence)
    if not isinstance(model, keras.Model):
        raise InputError.expected("model", "a Keras model", type(model).__name__)
    rule = rejection.served_rule(model, _temperature(temperature), confidence)
    shape = image_input.image_shape(model, image_shape)
    archive = _archive(model, shape, rule, class_names)
    images = image_input.made_up(shape) if examples is None else examples
    _write(archive, target, shape, notes or {}, (other_formats, images))
    return target


def _write(archive, target, shape, notes, others):
    try:
        with whole_files.reasons(target):
            whole_files.make_directory(target.parent)
        with whole_files.writing(target) as written:
            archive.write_out(str(written), verbose=False)
            if others[0]:
                notes = {**notes, formats.NOTE: formats.write(written, *others)}
            export_notes.write(written, notes)
            warm_up.write(written, shape)
    # TensorFlow's file system raises errors of its own kind.
    except (InputError, tf.errors.OpError) as error:
        # Only goes if it is empty: then it was made for this export.
        with contextlib.suppress(OSError):
            target.parent.rmdir()
        if isinstance(error, InputError):
            raise
        reason = str(error).splitlines()[0]
        raise InputError.expected(str(target), "a directory that can be written", reason) from error


def _checked_target(directory, version):
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise InputError.expected("version", "a whole number of at least 1", version)
    target = pathlib.Path(directory) / str(version)
    if target.exists():
        raise InputError.expected(str(target), "a version that is not there yet", "an existing one")
    return target


def _temperature(temperature):
    try:
        return None if temperature is None else arguments.temperature("temperature", temperature)
    except ValueError as error:
        raise InputError.expected("temperature", arguments.TEMPERATURES, temperature) from error


def _archive(model, shape, rule, names):
    """The export with its signatures, not yet written."""
    answers = image_input.answers(model, shape)
    answer = inference_call(model)

    # In the file once: the signatures call it, in place of each holding the whole model.
    @tf.function(autograph=False)
    def scores(images):
        return class_scores(image_input.only_output(answer(images)), answers)

    archive = keras.export.ExportArchive()
    # As part of a module: tracked by itself, every weight of a model would be written twice.
    holder = tf.Module()
    holder.model = model
    archive.track(holder)
    for name, (function, spec) in signatures(scores, rule, shape).items():
        archive.add_endpoint(name, function, input_signature=[spec])
    columns = _classes(names, answers.shape[1], rule.nonsense_classes) if names else {}
    for name, function in (rejection.signatures(rule) | columns).items():
        archive.add_endpoint(name, function, input_signature=[])
    return archive


def _classes(names, columns, nonsense):
    # A single column is served as two classes; nonsense has no name.
    wanted = max(columns, 2) - nonsense
    if len(names) != wanted:
        raise InputError.expected("class_names", f"{wanted} names", f"{len(names)}")
    return named_classes(names)

"""Loads anybody's image classifier, to be attacked as it is served."""

import logging
import pathlib
import tempfile

import keras
import numpy as np
import tensorflow as tf

from robust_keras import layers  # noqa: F401  (registers the layers that a .keras file may name)
from robust_keras.errors import InputError
from robust_keras.serving import (
    confidence,
    endpoints,
    graph_safety,
    lost_gradients,
    probing,
    rejection,
    saved_model_edit,
)
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.outputs import choose_output
from robust_keras.serving.time_limit import FIRST_PASSES, within

_EXPECTED = "a SavedModel directory, a directory of numbered versions of one, or a .keras file"


def load(path, *, trusted_operations=(), time_limit=FIRST_PASSES):
    """Loads a classifier from a `.keras` file or a SavedModel, ours or a stranger's.

    A SavedModel must be from TensorFlow 2 and map one float image batch to (batch, classes) of
    logits or probabilities, whatever its tensors are called: its signature `logits` if it has a
    fitting one, else `serving_default`, else its only signature, else the root object if it can be
    called. Of several outputs the one with the logits is chosen where that leaves no doubt.

    Probabilities are turned into logits. Where they come from a softmax operation, that operation
    is taken out and its input used, so nothing is lost to saturation. Otherwise their logarithm
    serves.

    Args:
        path: a `.keras` file, a SavedModel directory, or a directory whose subdirectories are
            numbered versions of one (the highest is taken).
        trusted_operations: names of operations that a SavedModel may hold although they act outside
            the model or are not known to be harmless.
        time_limit: seconds in which a SavedModel must load and answer its first images.

    Returns:
        A `Classifier`.

    Raises:
        InputError: nothing there, not a model, or a model that does not classify images.

    Example:
        >>> load("runs/quickstart/serving").num_classes
        10
    """
    path = pathlib.Path(path)
    if path.is_dir():
        directory = _saved_model_directory(path)
        message = saved_model_edit.read(directory)
        graph_safety.check(message, directory, trusted_operations)
        return within(time_limit, directory, lambda: _from_saved_model(directory, message))
    if not path.is_file():
        raise InputError.expected(str(path), _EXPECTED, "nothing of that name")
    if path.suffix != ".keras":
        raise InputError.expected(str(path), _EXPECTED, "another kind of file")
    try:
        model = keras.models.load_model(path, compile=False)
    # Keras raises every kind of error for damaged files and for layers that it does not know.
    except Exception as error:
        raise InputError.expected(
            str(path), "a .keras file that Keras can load", _first_line(error)
        ) from error
    return from_keras(model, path=path)


def from_keras(model, *, path="a Keras model in memory"):
    """Makes a classifier of a Keras model, by the same rules as `load`.

    Args:
        model: built `keras.Model` from one float image batch to logits or probabilities.
        path: what messages and reports call it.

    Returns:
        A `Classifier` of format "keras", which sees later changes of the weights where the model's
        output are logits.

    Raises:
        InputError: the model does not map one float image batch to (batch, classes).

    Example:
        >>> from_keras(models.build("lenet5", image_shape=(28, 28, 1), num_classes=10)).image_shape
        (28, 28, 1)
    """
    if not isinstance(model, keras.Model):
        raise InputError.expected(str(path), "a Keras model", type(model).__name__)
    endpoint = endpoints.keras_endpoint(path, model)

    def without_softmax(output):
        with tempfile.TemporaryDirectory() as scratch:
            _write_plainly(endpoint, scratch)
            directory = pathlib.Path(scratch)
            message = saved_model_edit.read(directory)
            return _reload_without_softmax(directory, message, "serving_default", output)

    classifier = _classifier(path, "keras", endpoint, without_softmax, rejection.from_keras(model))
    classifier.confidence = confidence.from_rule(rejection.rule_of(model))
    return classifier


def _saved_model_directory(path):
    """The directory itself or its highest version."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = [
        entry
        for entry in path.iterdir()
        if entry.name.isdecimal() and (entry / "saved_model.pb").is_file()
    ]
    if not versions:
        content = sorted(entry.name for entry in path.iterdir())[:5]
        shown = f"a directory with {', '.join(content)}" if content else "an empty directory"
        raise InputError.expected(str(path), _EXPECTED, shown)
    return max(versions, key=lambda entry: int(entry.name))


def _from_saved_model(directory, message):
    lost = lost_gradients.use_own_gradients(message)
    # What is loaded is what was looked at, whatever happens to the files meanwhile.
    with saved_model_edit.written(message, directory) as edited:
        root = _load_saved_model(edited, directory)
    endpoint = endpoints.saved_model_endpoint(directory, root)

    def without_softmax(output):
        return _reload_without_softmax(directory, message, endpoint.name, output)

    rule = rejection.from_saved_model(root)
    classifier = _classifier(directory, "saved_model", endpoint, without_softmax, rule)
    images = tf.constant(probing.probe_images(classifier.image_shape))
    if lost and classifier.gradient_error is None:
        classifier.notes += (lost_gradients.note(lost, classifier.logits, images),)
    classifier.confidence = confidence.from_saved_model(root, classifier.logits(images), images)
    return classifier


class _NoGradientWarning(logging.Filter):
    """Silences TensorFlow's guess that gradients may fail: whether they do is tried afterwards."""

    def filter(self, record):
        return "unsaved custom gradients" not in record.getMessage()


def _load_saved_model(directory, named):
    silence, logger = _NoGradientWarning(), logging.getLogger("absl")
    logger.addFilter(silence)
    try:
        return tf.saved_model.load(str(directory))
    # TensorFlow raises every kind of error for missing variables and operations it does not know.
    except Exception as error:
        raise InputError.expected(
            str(named), "a SavedModel that TensorFlow can load", _first_line(error)
        ) from error
    finally:
        logger.removeFilter(silence)


def _reload_without_softmax(directory, message, name, output):
    """The same endpoint with the softmax behind the output taken out, or None."""
    if not saved_model_edit.remove_softmax(message, name, output):
        return None
    with saved_model_edit.written(message, directory) as edited:
        return endpoints.saved_model_endpoint(directory, _load_saved_model(edited, directory))


def _classifier(path, format, endpoint, without_softmax, rule):
    images = probing.probe_images(endpoint.batch_shape[1:])
    outputs = _outputs(path, endpoint, images)
    output, kind = choose_output(path, outputs, len(images))
    known = {"output": output, "output_kind": kind, "num_classes": outputs[output].shape[-1]}
    known["rejection"] = rule
    if kind == "logits":
        return Classifier(path, format, endpoint, **known)
    exposed = without_softmax(output)
    if exposed is not None:
        scores = _outputs(path, exposed, images)[output]
        softmax = keras.ops.softmax(np.asarray(scores, np.float32), axis=-1)
        if np.allclose(softmax, outputs[output], rtol=0.0, atol=1e-3):
            return Classifier(path, format, exposed, **known)
    return Classifier(path, format, endpoint, **known, take_logarithm=True)


def _outputs(path, endpoint, images):
    try:
        return probing.run_any_batch(endpoint, images)
    # A stranger's graph may fail in any way on images of the shape that it declares.
    except Exception as error:
        raise InputError.expected(
            str(path),
            f"a model that runs on images of shape {images.shape[1:]}",
            _first_line(error),
        ) from error


def _write_plainly(endpoint, directory):
    spec = tf.TensorSpec(endpoint.batch_shape, endpoint.dtype, name="images")
    archive = keras.export.ExportArchive()
    archive.track(endpoint.owner)
    archive.add_endpoint("serving_default", endpoint.call, input_signature=[spec])
    archive.write_out(directory, verbose=False)


def _first_line(error):
    text = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {text[:200]}"

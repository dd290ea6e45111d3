"""Loads anybody's image classifier, to be attacked as it is served."""

import functools
import json
import logging
import os
import pathlib
from collections.abc import Collection
from typing import Any

import keras
import tensorflow as tf

from robust_keras import (
    layers,  # noqa: F401  (registers the layers that a .keras file may name)
    suggestion,
)
from robust_keras.directories.rights import check_readable
from robust_keras.errors import InputError, first_line
from robust_keras.serving import (
    confidence,
    endpoints,
    export_notes,
    graph_safety,
    lost_gradients,
    rejection,
    saved_model_edit,
)
from robust_keras.serving.classifier import Classifier, from_reading
from robust_keras.serving.editable import Editable, PlainCopy
from robust_keras.serving.examples import Examples
from robust_keras.serving.keras_entrance import keras_entrance
from robust_keras.serving.keras_file import SUFFIXES, load_keras
from robust_keras.serving.missing_answers import with_missing_answers
from robust_keras.serving.reading import read
from robust_keras.serving.time_limit import FIRST_PASSES, within

_UNTOLD = (
    "It was exported before exports told how their confidence is computed: a softmax is taken. "
    "Export the model again to be sure."
)
_EXPECTED = (
    "a SavedModel directory, a directory of numbered versions of one, or a .keras or .h5 file"
)


def load(
    path: str | pathlib.Path,
    *,
    examples: Examples | None = None,
    pixels: str = "auto",
    output: Any = None,
    trusted_operations: Collection[str] = (),
    time_limit: float | None = FIRST_PASSES,
) -> Classifier:
    """Loads a classifier from a Keras file or a SavedModel, ours or a stranger's.

    A SavedModel must be from TensorFlow 2 and map one image batch to (batch, classes) of logits or
    probabilities, whatever its tensors are called: its signature `logits` if it has a fitting one,
    else `serving_default`, else its only fitting signature, else the root object if it can be
    called. Of several outputs the one with the logits is chosen where that leaves no doubt.

    Probabilities are turned into logits. Where they come from a softmax or a sigmoid operation,
    that operation is taken out and its input used, so nothing is lost to saturation. Otherwise
    their logarithm serves. A single logit z becomes the two logits [0, z].

    In front of `examples` more is taken, where it can be read in one way only: channels first, no
    axis for the channel, rows of pixels, whole numbers, pixels in 0..255 or -1..1. Whatever the
    model takes, the classifier takes images in [0, 1], channels last; its `notes` say what is done.

    Args:
        path: a `.keras` or `.h5` file, a SavedModel directory, or a directory whose subdirectories
            are numbered versions of one (the highest is taken).
        examples: `Examples` of the data set, or None: then images are made up, and the pixels of a
            model with an input of floats are those in [0, 1] unless said otherwise.
        pixels: "auto", "0..1", "0..255", "-1..1" or "caffe": what the model takes.
        output: name of the output, or the signature, to attack where there are several.
        trusted_operations: names of operations that a SavedModel may hold although they act outside
            the model or are not known to be harmless.
        time_limit: seconds in which a SavedModel must load, and any model answer its first images;
            None for any time.

    Raises:
        InputError: nothing there, not a model, or a model that does not classify images.

    Example:
        >>> load("runs/quickstart/serving").num_classes
        10
    """
    path = pathlib.Path(path)
    check_readable(path, str(path))
    settings = {"examples": examples, "pixels": pixels, "output": output}
    # os.path answers no where pathlib raises: a name too long, a directory that may not be entered.
    if os.path.isdir(path):
        directory = model_location(path)
        check_readable(directory, str(path), below=True)
        message = saved_model_edit.read(directory)
        graph_safety.check(message, directory, trusted_operations)
        return _from_saved_model(directory, message, time_limit, **settings)
    if not os.path.isfile(path):
        # A device, a pipe, a link to nowhere is there.
        there = os.path.lexists(path)
        meant = suggestion.beside(path, mark=os.path.join(os.path.dirname(path), ""))
        missing = f"nothing of that name{meant}"
        received = "what is neither file nor directory" if there else missing
        raise InputError.expected(str(path), _EXPECTED, received)
    if path.suffix not in SUFFIXES:
        advice = "another kind of file: convert it to a SavedModel and give its directory"
        raise InputError.expected(str(path), _EXPECTED, advice)
    return from_keras(load_keras(path), path=path, time_limit=time_limit, **settings)


def from_keras(
    model: keras.Model,
    *,
    path: str | pathlib.Path = "a Keras model in memory",
    examples: Examples | None = None,
    pixels: str = "auto",
    output: Any = None,
    time_limit: float | None = FIRST_PASSES,
) -> Classifier:
    """Makes a classifier of a Keras model, by the same rules as `load`.

    Args:
        model: built `keras.Model` from one image batch to logits or probabilities. It is asked as
            its own `model.export` would serve it.
        path: what messages and reports call it.
        examples: `Examples` of the data set, or None.
        pixels: what the model takes, as for `load`.
        output: name of the output to attack where there are several.
        time_limit: seconds in which the model must answer its first images, or None.

    Returns:
        A `Classifier` of format "keras", which sees later changes of the weights where the model's
        output are logits.

    Raises:
        InputError: the model does not map one image batch to (batch, classes).

    Example:
        >>> from_keras(models.build("lenet5", image_shape=(28, 28, 1), num_classes=10)).image_shape
        (28, 28, 1)
    """
    if not isinstance(model, keras.Model):
        raise InputError.expected(str(path), "a Keras model", type(model).__name__)
    entrance = keras_entrance(path, model, examples=examples, output=output)
    copy = PlainCopy(entrance.endpoint)

    def reload(message, directory, name):
        with saved_model_edit.written(message, directory) as edited:
            return endpoints.endpoint(_load_saved_model(edited, path), name)

    editable = Editable(entrance, copy.graph, reload, ours=_of_a_run(path))
    reading = read(path, editable, examples=examples, pixels=pixels, time_limit=time_limit)
    rule = rejection.rule_of(model)
    rejects = rejection.from_keras(rule, reading.plain, reading.scores.output)
    told = confidence.from_rule(rule)
    classifier = from_reading(path, "keras", reading, confidence=told, rejection=rejects)
    return with_missing_answers(classifier, reading.probes)


def model_location(path: str | pathlib.Path) -> pathlib.Path:
    """The file, or the directory of the SavedModel, that a path stands for.

    Args:
        path: as for `load`.

    Returns:
        A `pathlib.Path`; of a directory of numbered versions the highest.

    Raises:
        InputError: a directory without a SavedModel.
    """
    path = pathlib.Path(path)
    if not os.path.isdir(path) or os.path.isfile(path / "saved_model.pb"):
        return path
    names = sorted(_names_in(path))
    versions = _versions(path, names)
    if not versions:
        for name in names:
            check_readable(path / name, str(path))
        content = names[:5]
        shown = f"a directory with {', '.join(content)}" if content else "an empty directory"
        raise InputError.expected(str(path), _EXPECTED, shown + _inside(path, names))
    return max(versions, key=lambda entry: int(entry.name))


def _versions(directory, names):
    return [
        directory / name
        for name in names
        if name.isdecimal() and os.path.isfile(directory / name / "saved_model.pb")
    ]


def _inside(directory, names):
    """Where in a directory, such as that of a run, its SavedModel lies."""
    for name in names:
        try:
            if _versions(directory / name, os.listdir(directory / name)):
                return f" (did you mean {directory / name}?)"
        except OSError:
            continue
    return ""


def _names_in(directory):
    try:
        return os.listdir(directory)
    except OSError as error:
        received = f"one that may not be read ({error.strerror})"
        raise InputError.expected(str(directory), _EXPECTED, received) from error


def _from_saved_model(directory, message, time_limit, *, examples, pixels, output):
    lost = lost_gradients.use_own_gradients(message)
    # What is loaded is what was looked at, whatever happens to the files meanwhile.
    with saved_model_edit.written(message, directory) as edited:
        root = within(time_limit, directory, lambda: _load_saved_model(edited, directory))
    entrance = endpoints.saved_model_entrance(directory, root, examples=examples, output=output)

    def graph():
        fresh = type(message)()
        fresh.CopyFrom(message)
        return fresh, directory, entrance.endpoint.name

    def reload(message, directory, name):
        with saved_model_edit.written(message, directory) as edited:
            reloaded = _load_saved_model(edited, directory)
        return endpoints.endpoint(reloaded, name, entrance.endpoint.batch_shape)

    editable = Editable(entrance, graph, reload, ours=_is_ours(root))
    reading = read(directory, editable, examples=examples, pixels=pixels, time_limit=time_limit)

    # Other functions of the graph than its answers, which may go round for ever by themselves.
    def finished():
        rejects = rejection.from_saved_model(root)
        told = confidence.from_saved_model(root) if editable.ours else None
        rule = told or confidence.ConfidenceRule()
        classifier = from_reading(
            directory, "saved_model", reading, confidence=rule, rejection=rejects
        )
        untold = (_UNTOLD,) if editable.ours and not told else ()
        return classifier.with_notes(
            *_notes(classifier, reading.probes, lost, editable.ours), *untold
        )

    classifier = within(time_limit, directory, finished)
    answered = functools.partial(with_missing_answers, classifier, reading.probes)
    return within(time_limit, directory, answered)


def _notes(classifier, probes, lost, ours):
    """Sentences on a classifier's gradients and on what stands beside the file."""
    if lost and classifier.gradient_error is None:
        yield lost_gradients.note(lost, classifier.logits, tf.constant(probes))
    if ours:
        yield from export_notes.warnings(classifier.path)


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
            str(named), "a SavedModel that TensorFlow can load", first_line(error)
        ) from error
    finally:
        logger.removeFilter(silence)


def _is_ours(root):
    """Whether a SavedModel has what `export` writes, so that its pixels are in [0, 1]."""
    signatures = getattr(root, "signatures", {})
    served = signatures.get("serving_default")
    outputs = set(getattr(served, "structured_outputs", None) or ())
    inputs = [set(f.structured_input_signature[1]) for f in (served, signatures.get("logits")) if f]
    answers = {"probabilities", "classes", "confidence"}
    return answers <= outputs and inputs == [{"images"}, {"images"}]


def _of_a_run(path):
    """Whether a file is the model of a run of train.py, whose pixels are in [0, 1]."""
    try:
        text = (pathlib.Path(path).parent / "config.json").read_text(encoding="utf-8")
        return {"activation", "dataset", "model"} <= set(json.loads(text))
    # A stranger's file of the name may hold anything.
    except (OSError, ValueError, TypeError, RecursionError):
        return False

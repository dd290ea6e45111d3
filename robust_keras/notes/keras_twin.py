"""The Keras model that is the same function as a loaded classifier, weight for weight."""

import os
import pathlib
from typing import Any

import keras
import numpy as np

from robust_keras.errors import InputError
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.classifier import keras_model as own_model
from robust_keras.serving.keras_file import load_keras

_KERAS = "model.keras"
# Logits of one model, once computed by Keras and once by the graph of its export.
_TOLERANCE = 1e-3


def keras_model(classifier: Classifier, purpose: str = "--certify=bounds") -> keras.Model:
    """The Keras model of a classifier: its own, or the one from which train.py exported it.

    An export of train.py stands in the directory of its run, beside `model.keras`. That file is
    taken only where its weights are those of the export, bit for bit, and its answers the same.

    Args:
        classifier: the loaded `serving.Classifier`.
        purpose: what it is for, which begins the error's line.

    Raises:
        InputError: there is none, or it is another function of the images.
    """
    try:
        return _twin(classifier)
    except InputError as error:
        raise InputError(f"{purpose}, {classifier.path}: {error}") from error


def _twin(classifier):
    if classifier.pixels != "0..1" or not classifier.deterministic or classifier.passes > 1:
        _refuse("a deterministic model of images in [0, 1]", "another")
    model = own_model(classifier)
    if model is None:
        model = _beside(classifier)
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or shape[1:] != tuple(classifier.image_shape):
        _refuse(f"a model of images {classifier.image_shape}", f"one of {shape}")
    _check_answers(classifier, model)
    return model


def _beside(classifier):
    path = pathlib.Path(os.path.realpath(classifier.path))
    for directory in path.parents[:2]:
        if os.path.isfile(directory / _KERAS):
            model = load_keras(directory / _KERAS)
            exported = _content(classifier.owner.variables)
            if _content(model.trainable_weights) <= exported <= _content(model.weights):
                return model
            _refuse(f"the weights of {directory / _KERAS}", "others")
    expected = f"an export of train.py beside its {_KERAS}, or a .keras file"
    return _refuse(expected, "a SavedModel alone")


def _content(variables: Any) -> set:
    """The weights as bytes, without names, which an export has otherwise."""
    arrays = [np.asarray(variable) for variable in variables]
    return {(array.shape, array.tobytes()) for array in arrays if array.dtype.kind == "f"}


def _check_answers(classifier, model):
    images = classifier.probes
    own = classifier.unscaled.logits(images).numpy()
    known = np.asarray(model(images, training=False))
    if own.shape != known.shape:
        _refuse(f"a model of {own.shape[1]} outputs", known.shape[1])
    if classifier.output_kind == "probabilities":
        own, known = (np.exp(own - own.max(1, keepdims=True)), known)
        own /= own.sum(1, keepdims=True)
    scale = 1.0 + np.abs(known).max()
    if not np.all(np.abs(own - known) <= _TOLERANCE * scale):
        _refuse("the answers of its Keras model", "others")


def _refuse(expected, received):
    raise InputError.expected("its Keras model", expected, received)

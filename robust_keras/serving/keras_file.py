"""Reads Keras models from files, and says in one line why one cannot be read."""

import json
import pathlib
import zipfile

import h5py
import keras

from robust_keras.errors import InputError, first_line

SUFFIXES = (".keras", ".h5", ".hdf5")
# What Keras 2 wrote without a module, and where such names are looked up now.
_PLACES = (
    keras.layers,
    keras.models,
    keras.initializers,
    keras.regularizers,
    keras.constraints,
    keras.dtype_policies,
)
_NAMELESS = ("Functional", "Policy")
_OF_KERAS_2 = ("TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod")
_EXPORT = "the directory that model.export(DIRECTORY) writes where the model is known"
_SHOWN = 2


def load_keras(path: pathlib.Path) -> keras.Model:
    """The Keras model in a file.

    Args:
        path: `pathlib.Path` of a .keras, .h5 or .hdf5 file.

    Raises:
        InputError: the file is damaged, holds weights alone, or a layer that is not known here.
    """
    try:
        return keras.models.load_model(path, compile=False)
    # Keras raises every kind of error for damaged files and for layers that it does not know.
    except Exception as error:
        expected = f"a {path.suffix} file that Keras can load, or {_EXPORT}"
        raise InputError.expected(str(path), expected, _reason(path, error)) from error


def _reason(path, error):
    try:
        return _missing(path) or first_line(error)
    # A damaged file, which raises nearly everything, is told by Keras' own words.
    except Exception:
        return first_line(error)


def _missing(path):
    """What a whole file lacks, or holds that is not known here; empty where that is nothing."""
    config = _config(path)
    if config is None:
        return "weights without a model (model.save(FILE) keeps both)"
    unknown = [_unknown(entry, entry is config) for entry in _entries(config)]
    return " and ".join(list(dict.fromkeys(filter(None, unknown)))[:_SHOWN])


def _config(path):
    """The model's description as plain values; None where the file has none."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    with h5py.File(path) as file:
        text = file.attrs.get("model_config")
    return None if text is None else json.loads(text)


def _entries(value):
    """Every object of a class in a description."""
    if isinstance(value, dict):
        kind = value.get("class_name")
        # Keras' own marks, such as __keras_tensor__, are no classes.
        if isinstance(kind, str) and not kind.startswith("__"):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _entries(member)


def _unknown(entry, whole):
    """Words for a class that is not loaded from a file, or None; `whole`: it is the model's own."""
    kind, config = entry["class_name"], entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    what = "the model" if whole else "the layer"
    named = f"{what} '{name}' of class {kind}" if name else f"{what} of class {kind}"
    if kind == "Lambda":
        return f"{named}, whose Python code is never run from a file"
    if _is_known(entry, kind):
        return None
    module = str(entry.get("module") or "")
    if module.startswith("tf_keras") or kind in _OF_KERAS_2:
        return f"{named}, which Keras 2 alone can load (pip install tf_keras)"
    return f"{named}, which is not known here"


def _is_known(entry, kind):
    module = entry.get("module")
    if isinstance(module, str):
        known = module.partition(".")[0] == "keras"
    else:
        known = kind in _NAMELESS or any(hasattr(place, kind) for place in _PLACES)
    return known or keras.saving.get_registered_object(entry.get("registered_name") or kind)

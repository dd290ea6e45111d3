"""Reads Keras models from files, and says in one line why one cannot be read."""

import json
import zipfile

import h5py
import keras

from robust_keras.errors import InputError, first_line

SUFFIXES = (".keras", ".h5", ".hdf5")
_EXPORT = "where the model is known, call model.export(DIRECTORY) and give that directory"


def load_keras(path):
    """The Keras model in a file.

    Args:
        path: `pathlib.Path` of a .keras, .h5 or .hdf5 file.

    Returns:
        A `keras.Model`.

    Raises:
        InputError: the file is damaged, holds weights alone, or a layer that is not known here.
    """
    try:
        return keras.models.load_model(path, compile=False)
    # Keras raises every kind of error for damaged files and for layers that it does not know.
    except Exception as error:
        reason = _reason(path, error)
        raise InputError.expected(
            str(path), f"a {path.suffix} file that Keras can load", reason
        ) from error


def _reason(path, error):
    try:
        config = _config(path)
    # A damaged file is told by Keras' own words.
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return first_line(error)
    if config is None:
        return f"weights without a model: save it with model.save(FILE); or {_EXPORT}"
    unknown = [_unknown(entry, entry is config) for entry in _entries(config)]
    named = list(dict.fromkeys(filter(None, unknown)))
    return f"{' and '.join(named)}: {_EXPORT}" if named else first_line(error)


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
        if isinstance(value.get("class_name"), str):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _entries(member)


def _unknown(entry, whole):
    """Words for a class that is not loaded from a file, or None; `whole`: it is the model's own."""
    kind, config = entry["class_name"], entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    named = (
        f"the {'model' if whole else 'layer'} "
        + (f"'{name}' " if name else "")
        + f"of class {kind}"
    )
    if kind == "Lambda":
        return f"{named}, whose Python code is never run from a file"
    known = hasattr(keras.layers, kind) or str(entry.get("module", "keras")).startswith("keras")
    if known or keras.saving.get_registered_object(entry.get("registered_name") or kind):
        return None
    return f"{named}, which is not known here"

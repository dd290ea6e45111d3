"""The names of the classes that train.py noted in an export, in the order of the outputs."""

import json
import pathlib

from robust_keras.serving import export_notes

_FILE = pathlib.Path(export_notes.DIRECTORY) / "classes.json"
_MOST_BYTES = 2**24


def class_note(dataset):
    """What `serving.export` takes as a note on the classes of the set that was trained on.

    Args:
        dataset: an `ImageDataset`; classes known by number alone give no note.
    """
    return {} if dataset.numbered else {_FILE.name: {"class_names": list(dataset.class_names)}}


def read_class_names(saved_model):
    """The names in a SavedModel, or None where there are none, or not those written.

    Args:
        saved_model: the SavedModel's directory, or a file, in which there are none.
    """
    if _FILE.name in export_notes.changed(saved_model):
        return None
    try:
        with (pathlib.Path(saved_model) / _FILE).open(encoding="utf-8") as file:
            names = json.loads(file.read(_MOST_BYTES))["class_names"]
    # A stranger's SavedModel may have a file of that name and any content.
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    usable = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    return tuple(names) if usable and len(set(names)) == len(names) >= 2 else None

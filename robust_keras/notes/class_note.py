"""The names of the classes that train.py noted in an export, in the order of the outputs."""

import pathlib
from typing import Any

from robust_keras.serving import export_notes

_FILE = "classes.json"


def class_note(dataset: Any) -> dict[str, Any]:
    """What `serving.export` takes as a note on the classes of the set that was trained on.

    Args:
        dataset: an `ImageDataset`; classes known by number alone give no note.
    """
    return {} if dataset.numbered else {_FILE: {"class_names": list(dataset.class_names)}}


def read_class_names(saved_model: str | pathlib.Path) -> tuple[str, ...] | None:
    """The names in a SavedModel, or None where there are none, or not those written.

    Args:
        saved_model: the SavedModel's directory, or a file, in which there are none.
    """
    value = export_notes.read(saved_model, _FILE)
    names = value.get("class_names") if isinstance(value, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return None
    return tuple(names) if len(set(names)) == len(names) >= 2 else None

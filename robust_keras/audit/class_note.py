"""The names of the classes that train.py noted in an export, in the order of the outputs."""

from robust_keras.serving import export_notes

_FILE = "classes.json"


def class_note(dataset):
    """What `serving.export` takes as a note on the classes of the set that was trained on.

    Args:
        dataset: an `ImageDataset`; classes known by number alone give no note.
    """
    return {} if dataset.numbered else {_FILE: {"class_names": list(dataset.class_names)}}


def read_class_names(saved_model):
    """The names in a SavedModel, or None where there are none, or not those written.

    Args:
        saved_model: the SavedModel's directory, or a file, in which there are none.
    """
    value = export_notes.read(saved_model, _FILE)
    names = value.get("class_names") if isinstance(value, dict) else None
    usable = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    return tuple(names) if usable and len(set(names)) == len(names) >= 2 else None

"""How a model was trained: from the run of train.py that it lies in, or from its own notes."""

import dataclasses
import json
import os
import pathlib
from typing import Any

from robust_keras.directories.record import NAME
from robust_keras.serving import export_notes
from robust_keras.settings.config import TrainConfig

_ALWAYS = ("dataset", "model", "activation", "adversarial", "epochs")
# Where a run lies says nothing of what it did.
_NEVER = ("output_dir", "data_dir")
# Nor is it anybody else's business what somebody's files are called.
_FILES = ("plugins", "source_models", "distillation_teacher", "classifier")
_NOTE = "training.json"
_MOST_BYTES = 2**20


def settings_note(config: TrainConfig) -> dict[str, Any]:
    """What `serving.export` takes as a note on how the model was trained.

    Args:
        config: of the run; of the data set's path only the last part is kept.
    """
    told = {name: value for name, value in _told(config).items() if name not in _FILES}
    return {_NOTE: told | {"dataset": pathlib.PurePath(config.dataset).name}}


def training_settings(path: str | pathlib.Path | None) -> dict[str, Any] | None:
    """The settings that tell how the model was trained, or None where nothing tells.

    Args:
        path: of the model, `RUN/serving/1` or `RUN/model.keras`; of a model in memory a name.
    """
    # A model in memory has a name, which may happen to be that of a directory.
    if path is None or not os.path.exists(path):
        return None
    for directory in pathlib.Path(os.path.realpath(path)).parents[:2]:
        values = _read(directory / NAME)
        if values is not None:
            return values
    return _noted(path)


def _noted(path):
    """What the export's own note tells; a stranger's file of the name tells nothing."""
    values = export_notes.read(path, _NOTE)
    fields = TrainConfig.__dataclass_fields__
    if not isinstance(values, dict) or not set(_ALWAYS) <= set(values) <= set(fields):
        return None
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    try:
        for name, value in values.items():
            fields[name].metadata["parse"].check(value)
    except (ValueError, TypeError):
        return None
    return values


def _read(file):
    """What differs from the defaults; a stranger's file of the name tells nothing."""
    try:
        with open(file, encoding="utf-8") as stream:
            values = json.loads(stream.read(_MOST_BYTES))
        known = {field.name for field in dataclasses.fields(TrainConfig)}
        if values.pop("robust_keras")["program"] != "train" or not set(values) <= known:
            return None
        config = TrainConfig.from_json(json.dumps(values))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return _told(config)


def _told(config):
    told = {name: getattr(config, name) for name in _ALWAYS}
    return told | {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name not in _NEVER and getattr(config, field.name) != field.default
    }

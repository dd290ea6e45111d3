"""How a model was trained, where it lies in a run of train.py."""

import dataclasses
import json
import pathlib
from typing import Any

from robust_keras.directories.record import NAME
from robust_keras.settings.config import TrainConfig

_ALWAYS = ("dataset", "model", "activation", "adversarial", "epochs")
# Where a run lies says nothing of what it did.
_NEVER = ("output_dir", "data_dir")
_MOST_BYTES = 2**20


def training_settings(path: str | pathlib.Path | None) -> dict[str, Any] | None:
    """The settings that tell how the model was trained, or None where nothing tells.

    Args:
        path: of the model, `RUN/serving/1` or `RUN/model.keras`; of a model in memory a name.
    """
    # A model in memory has a name, which may happen to be that of a directory.
    if path is None or not pathlib.Path(path).exists():
        return None
    for directory in pathlib.Path(path).resolve().parents[:2]:
        values = _read(directory / NAME)
        if values is not None:
            return values
    return None


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
    told = {name: getattr(config, name) for name in _ALWAYS}
    return told | {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name not in _NEVER and getattr(config, field.name) != field.default
    }

"""The other forms of an export that a run is asked for."""

import pathlib
import tempfile
from typing import Any

import keras

from robust_keras import serving, training
from robust_keras.data.datasets import ImageSplit

_COMPARED = 32


def wanted(config: Any, split: ImageSplit) -> dict[str, Any]:
    """What `serving.export` is told of them; they are compared on the first images of the split."""
    formats = tuple(name for name in config.export_formats if name != "none")
    if not formats:
        return {}
    images = split.select(slice(0, _COMPARED)).float_images()
    return {"other_formats": formats, "examples": images}


def check(model: keras.Model, config: Any, split: ImageSplit) -> None:
    """Converts the network before it is trained: hours later would be late to hear that it fails.

    Call it outside of a strategy's scope.

    Raises:
        InputError: a format that cannot hold it, or whose packages are missing.
    """
    told = wanted(config, split)
    if not told:
        return
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "model.keras"
        training.save_model(model, path)
        serving.export(keras.models.load_model(path), directory, **told)

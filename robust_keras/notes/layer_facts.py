"""What is known of a model's layers, kept beside a SavedModel, where its layers are gone."""

import contextlib
import math
import pathlib
from collections.abc import Mapping
from typing import Any

import keras

from robust_keras.directories.epoch_table import read_rows
from robust_keras.errors import InputError
from robust_keras.findings import LayerReport
from robust_keras.notes.slopes import kernel_slopes
from robust_keras.serving import export_notes
from robust_keras.serving.classifier import Classifier

_FILE = "layers.json"


def layer_facts(
    model: keras.Model, gradient_norms: Mapping[str, float] | None = None
) -> list[LayerReport]:
    """Slope and gradient of each layer of which either is known.

    Args:
        model: a built `keras.Model`.
        gradient_norms: dict from layer name to the norm of the training loss' gradient.

    Returns:
        A list of `LayerReport`s in the model's order; None where unknown or not finite.

    Example:
        `layer_facts(model)` -> `[LayerReport(name="stem_activation", largest_slope=3.1, ...), ...]`
    """
    slopes, norms = kernel_slopes(model), gradient_norms or {}
    return [
        LayerReport(
            name=name,
            largest_slope=_finite(slopes.get(name)),
            gradient_norm=_finite(norms.get(name)),
        )
        for name in dict.fromkeys([*norms, *slopes])
    ]


def layer_notes(model: keras.Model, layer_log: pathlib.Path) -> dict[str, Any]:
    """What `serving.export` takes as notes on a model's layers; empty where nothing is known.

    Args:
        model: the `keras.Model` that is exported.
        layer_log: path of a `LayerLog`'s CSV file, which need not exist.
    """
    facts = layer_facts(model, last_gradient_norms(layer_log))
    return {_FILE: [fact.plain() for fact in facts]} if facts else {}


def read_layer_facts(classifier: Classifier) -> list[LayerReport]:
    """The layer facts of a loaded classifier: computed for a `.keras` file, else as exported.

    Returns:
        As `layer_facts`; empty where nothing is known. The gradients of a `.keras` file are those
        of the training run in whose directory it lies.
    """
    path = pathlib.Path(classifier.path)
    if path.suffix == ".keras":
        model = keras.models.load_model(path, compile=False)
        return layer_facts(model, _norms_beside(path))
    try:
        return [LayerReport.from_plain(item) for item in export_notes.read(path, _FILE) or ()]
    # A stranger's SavedModel may have a file of that name and any content.
    except (TypeError, ValueError):
        return []


def last_gradient_norms(csv_path: pathlib.Path) -> dict[str, float]:
    """The gradient norms of the last epoch in a `LayerLog`'s CSV file, by layer.

    Args:
        csv_path: the file; where there is none, nothing was logged.

    Returns:
        A dict from layer name to a float; empty without a file.

    Raises:
        InputError: the file is damaged.
    """
    path = pathlib.Path(csv_path)
    try:
        rows = [row for row in read_rows(path) if row["gradient_norm"]]
        return {
            row["layer"]: float(row["gradient_norm"])
            for row in rows
            if row["epoch"] == rows[-1]["epoch"]
        }
    except (KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError.expected(str(path), "a log of layers (delete it)", error) from error


def _norms_beside(path):
    # A stranger's file may have a file of that name beside it and any content.
    with contextlib.suppress(InputError):
        return last_gradient_norms(path.parent / "logs" / "layers.csv")
    return {}


def _finite(value):
    return float(value) if value is not None and math.isfinite(value) and value >= 0 else None

"""Other forms of an export, compared with it number by number."""

import functools
import pathlib
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras import standard_streams
from robust_keras.errors import InputError
from robust_keras.serving import litert_format, onnx_format
from robust_keras.serving.export_notes import DIRECTORY
from robust_keras.serving.plain_path import plain_path
from robust_keras.settings import names

SIGNATURE = "serving_default"
NOTE = "formats.json"
# What an answer may differ from the SavedModel's; probabilities are at most 1.
TOLERANCE = 1e-5
FORMATS: Mapping[str, types.ModuleType] = names.table(
    names.EXPORT_FORMATS, {"litert": litert_format, "onnx": onnx_format}
)


def check_names(formats: Sequence[str]) -> None:
    """Raises InputError for a format that is none, or whose packages are missing."""
    for name in formats:
        if name not in FORMATS:
            raise InputError.expected("formats", "any of " + ", ".join(FORMATS), name)
        FORMATS[name].check_installed()


def write(
    model_directory: pathlib.Path, formats: Sequence[str], images: np.ndarray
) -> dict[str, Any]:
    """Writes other forms of a SavedModel that is being made into its `assets.extra`.

    Each has the input and the outputs of the signature `serving_default`, and is asked about the
    same images as the SavedModel.

    Args:
        model_directory: of the SavedModel.
        formats: keys of `FORMATS`.
        images: float32 array (images, height, width, channels) in [0, 1].

    Returns:
        The note on them: a dict from a file's name to what is known of it, for JSON.

    Raises:
        InputError: an operation that the format does not have, or answers that differ.
    """
    with plain_path(model_directory) as path:
        return _write(path, formats, images)


def _write(model_directory, formats, images):
    # The loader warns of custom gradients, which nobody needs here.
    with standard_streams.errors_unseen():
        # Kept until the end: a signature's variables go with it.
        loaded = tf.saved_model.load(str(model_directory))
    served = loaded.signatures[SIGNATURE]
    directory = model_directory / DIRECTORY
    directory.mkdir(exist_ok=True)
    expected = {name: value.numpy() for name, value in served(images=images).items()}
    write_one = functools.partial(_write_one, model_directory, served, images, expected)
    return {FORMATS[name].FILE: write_one(name) for name in formats}


def _write_one(model_directory, served, images, expected, name):
    form = FORMATS[name]
    try:
        with standard_streams.errors_unseen():
            content = form.converted(model_directory, served, SIGNATURE)
            found = form.answers(content, images, SIGNATURE)
    except form.UNSUPPORTED as error:
        received = form.reason(error)
        if received is None:
            raise
        wanted = f"a network of operations that {form.TITLE} has (leave the format out)"
        raise InputError.expected(f"--export_formats={name}", wanted, received) from error
    largest = max(_difference(output, found, expected) for output in expected)
    if not largest <= TOLERANCE:
        wanted = f"answers of {form.TITLE} within {TOLERANCE:g} of the SavedModel's"
        raise InputError.expected(f"--export_formats={name}", wanted, f"{largest:.3g}")
    (model_directory / DIRECTORY / form.FILE).write_bytes(content)
    return {"largest_difference": largest, "images": len(images), "signature": SIGNATURE}


def _difference(output, found, expected):
    """The largest difference in one output; of classes, in the probability of what was chosen."""
    if output == "classes":
        rows, chosen = expected["probabilities"], np.asarray(found["classes"], np.int64)
        return float(np.max(rows.max(axis=1) - rows[np.arange(len(rows)), chosen]))
    difference = np.asarray(found[output], np.float64) - np.asarray(expected[output], np.float64)
    return float(np.max(np.abs(difference)))

"""LiteRT, which was TensorFlow Lite: a file for telephones and small devices."""

import pathlib
import re
import warnings
from typing import Any

import numpy as np
import tensorflow as tf

FILE = "model.tflite"
TITLE = "LiteRT"
# The converter raises an error of its own, which no public name reaches.
UNSUPPORTED = (Exception,)
_CONVERTERS = "ConverterError"


def check_installed() -> None:
    """TensorFlow brings it along."""


def converted(model_directory: pathlib.Path, served: Any, signature: str) -> bytes:
    """A SavedModel's signature, which is `served`, as a file of LiteRT's own operations only."""
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(model_directory), signature_keys=[signature]
    )
    return converter.convert()


def answers(content: bytes, images: np.ndarray, signature: str) -> dict[str, np.ndarray]:
    """What it answers, image by image: its batch is one image until somebody resizes it."""
    with warnings.catch_warnings():
        # TensorFlow says that this interpreter moves to a package of its own.
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=content)
    runner = interpreter.get_signature_runner(signature)
    rows = [runner(images=image[np.newaxis]) for image in images]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def reason(error: Exception) -> str | None:
    """The operations that an error of the converter names, or its first line; else None."""
    if type(error).__name__ != _CONVERTERS:
        return None
    operations = sorted(set(re.findall(r"'tf\.(\w+)' op", str(error))))
    if operations:
        return f"the operation {', '.join(operations)}"
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]

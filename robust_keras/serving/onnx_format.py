"""ONNX, which runs without TensorFlow; made by tf2onnx, whose packages are an extra."""

import importlib.util
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError

FILE = "model.onnx"
TITLE = "ONNX"
_PACKAGES = ("tf2onnx", "onnx", "onnxruntime")
_OPSET = 18


class UnsupportedOperations(Exception):
    """A network with operations that ONNX does not have."""


UNSUPPORTED = (UnsupportedOperations,)


def check_installed() -> None:
    """Raises InputError where the extra `onnx` is not installed."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        wanted = "the packages of the extra `onnx` (pip install " + " ".join(_PACKAGES) + ")"
        raise InputError.expected("--export_formats=onnx", wanted, f"no {', '.join(missing)}")


def converted(model_directory: pathlib.Path, served: Any, signature: str) -> bytes:
    """A SavedModel's signature, which is `served`, as a file of ONNX' own operations only.

    Raises:
        UnsupportedOperations: naming those that it does not have.
    """
    import tf2onnx

    # It goes on where it fails, and tells so at length.
    logging.getLogger("tf2onnx").setLevel(logging.CRITICAL)
    (images,) = served.structured_input_signature[1].values()
    asked = tf.function(lambda images: served(images=images), input_signature=[images])
    model, _ = tf2onnx.convert.from_function(asked, input_signature=[images], opset=_OPSET)
    unknown = sorted(set(_unknown(model.graph)))
    if unknown:
        raise UnsupportedOperations(f"the operation {', '.join(unknown)}")
    _fill_in(model.graph, asked.get_concrete_function().graph.captures)
    return model.SerializeToString()


def _fill_in(graph: Any, captures: Any) -> None:
    """Gives constants that the network holds beside its weights, which became inputs, values."""
    import onnx

    values = {inner.name: outer for outer, inner in captures if outer.dtype != tf.resource}
    for entry in [entry for entry in graph.input if entry.name in values]:
        value = onnx.numpy_helper.from_array(values[entry.name].numpy(), entry.name)
        graph.initializer.append(value)
        graph.input.remove(entry)


def _unknown(graph: Any) -> Iterator[str]:
    """Yields the kinds of nodes, inner graphs' included, that ONNX does not have."""
    import onnx

    for node in graph.node:
        if not onnx.defs.has(node.op_type, _OPSET, node.domain):
            yield node.op_type
        for attribute in node.attribute:
            yield from _unknown(attribute.g)


def answers(content: bytes, images: np.ndarray, signature: str) -> dict[str, np.ndarray]:
    """What it answers, as ONNX Runtime runs it."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"images": images}), strict=True))


def reason(error: Exception) -> str | None:
    """The operations that ONNX does not have."""
    return str(error)

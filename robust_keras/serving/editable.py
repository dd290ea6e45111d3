"""A model that was found, and the same model with an operation taken out of its graph."""

import dataclasses
import pathlib
import tempfile
import typing
from typing import Any

import keras
import tensorflow as tf

from robust_keras.serving import saved_model_edit
from robust_keras.serving.endpoint import Endpoint
from robust_keras.serving.entrance import Entrance
from robust_keras.serving.saved_model_floats import accept_floats


@dataclasses.dataclass(frozen=True)
class Editable:
    """A model as it was found.

    Args:
        entrance: its `Entrance`.
        graph: function without arguments to `(message, directory, name)`: a fresh `SavedModel`
            message, the directory of its variables, and the name of the endpoint in it.
        reload: function from an edited message, its directory and that name to an `Endpoint`.
        ours: whether it is known to take pixels in [0, 1].
        floats: whether the entrance is one of floats in place of the model's whole numbers.
    """

    entrance: Entrance
    graph: typing.Callable
    reload: typing.Callable
    ours: bool = False
    floats: bool = False

    def with_floats(self) -> "Editable | None":
        """The same with an input of floats, or None where that cannot be made."""
        message, directory, name = self.graph()
        if not accept_floats(message, name):
            return None
        endpoint = self.reload(message, directory, name)
        entrance = dataclasses.replace(self.entrance, endpoint=endpoint)
        return dataclasses.replace(self, entrance=entrance, floats=True)

    def without(self, output: Any, operation: str) -> Endpoint | None:
        """The endpoint without an operation, or None where it is not found.

        Args:
            output: name of the output behind which it is looked for.
            operation: "Softmax" or "Sigmoid".
        """
        message, directory, name = self.graph()
        if self.floats:
            accept_floats(message, name)
        if not saved_model_edit.remove_activation(message, name, output, operation):
            return None
        return self.reload(message, directory, name)


class PlainCopy:
    """A Keras model written as a SavedModel, when it is first needed.

    Args:
        endpoint: the `Endpoint` of the model.
    """

    NAME = "serving_default"

    def __init__(self, endpoint: Endpoint):
        self._endpoint = endpoint
        self._scratch: tempfile.TemporaryDirectory | None = None

    def graph(self) -> tuple:
        """As `Editable.graph`."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory()
            self._write(self._scratch.name)
        directory = pathlib.Path(self._scratch.name)
        return saved_model_edit.read(directory), directory, self.NAME

    def _write(self, directory):
        spec = tf.TensorSpec(self._endpoint.batch_shape, self._endpoint.dtype, name="images")
        archive = keras.export.ExportArchive()
        archive.track(self._endpoint.owner)
        archive.add_endpoint(self.NAME, self._endpoint.call, input_signature=[spec])
        archive.write_out(directory, verbose=False)

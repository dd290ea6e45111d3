"""Edits of a SavedModel's graph before loading: the softmax at its end removed.

A SavedModel stores its functions as plain protocol buffers, where a tensor is named
"node:output:index" and a function's results are listed by name. That is enough to walk back from an
output to the softmax behind it, without running anything.
"""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator
from typing import Any

import google.protobuf.message
from tensorflow.core.protobuf import saved_model_pb2

from robust_keras.errors import InputError
from robust_keras.serving.operation_kinds import CALLS, TRANSPARENT


def read(directory: pathlib.Path) -> Any:
    """The first graph of a SavedModel directory that TensorFlow 2 can serve.

    Args:
        directory: `pathlib.Path` that holds saved_model.pb.

    Returns:
        A `SavedModel` message with exactly one graph.

    Raises:
        InputError: the file is not readable, not a SavedModel or not from TensorFlow 2.
    """
    expected = "a SavedModel of TensorFlow 2"
    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((directory / "saved_model.pb").read_bytes())
    except (OSError, google.protobuf.message.DecodeError) as error:
        raise InputError.expected(str(directory), expected, "a damaged saved_model.pb") from error
    graphs = [graph for graph in message.meta_graphs if "serve" in graph.meta_info_def.tags]
    if not graphs:
        tags = sorted({tag for graph in message.meta_graphs for tag in graph.meta_info_def.tags})
        raise InputError.expected(
            str(directory), f"{expected} with the tag 'serve'", f"tags {tags}"
        )
    if len(message.meta_graphs) > 1:
        received = f"{len(message.meta_graphs)} graphs"
        raise InputError.expected(str(directory), f"{expected} with one graph", received)
    if not graphs[0].HasField("object_graph_def"):
        raise InputError.expected(str(directory), expected, "a graph saved by TensorFlow 1")
    return message


@contextlib.contextmanager
def written(message: Any, directory: pathlib.Path) -> Iterator[pathlib.Path]:
    """A temporary SavedModel with another graph and the files of `directory` beside it.

    Args:
        message: the edited `SavedModel`.
        directory: `pathlib.Path` of the original.

    Yields:
        `pathlib.Path` of the temporary directory.
    """
    with tempfile.TemporaryDirectory() as temporary:
        scratch = pathlib.Path(temporary)
        # Nothing else: TensorFlow would prefer a saved_model.cpb, which nobody has looked at.
        for name in ("variables", "assets"):
            if (directory / name).exists():
                (scratch / name).symlink_to(os.path.realpath(directory / name))
        (scratch / "saved_model.pb").write_bytes(message.SerializeToString())
        yield scratch


def remove_activation(message: Any, endpoint_name: str, output: Any, operation: str) -> bool:
    """Lets an output take the input of the softmax, or of the sigmoid, that it comes from.

    Args:
        message: `SavedModel`, changed in place.
        endpoint_name: a signature, or "__call__" for the root object's own function.
        output: name of the output; without meaning for "__call__".
        operation: "Softmax" or "Sigmoid".

    Returns:
        Whether one was found.
    """
    graph = next(g for g in message.meta_graphs if "serve" in g.meta_info_def.tags)
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    if endpoint_name in graph.signature_def:
        tensor = graph.signature_def[endpoint_name].outputs[output].name
        name, _, number = tensor.partition(":")
        call = next(node for node in graph.graph_def.node if node.name == name)
        starts = [_called(call, number, functions)] if call.op in CALLS else []
    else:
        starts = [
            (functions[name], next(iter(functions[name].ret)))
            for name in _root_functions(graph.object_graph_def)
            if len(functions[name].ret) == 1
        ]
    return any([_bypass(operation, function, result, functions) for function, result in starts])


def _root_functions(objects):
    """Names of the graph functions behind the root object's `__call__`."""
    for child in objects.nodes[0].children:
        if child.local_name == "__call__":
            return list(objects.nodes[child.node_id].function.concrete_functions)
    return []


def _called(node, number, functions):
    """The function that a call runs and the name of its result with that number ("" is 0)."""
    function = functions[node.attr["f"].func.name]
    return function, function.signature.output_arg[int(number or 0)].name


def _bypass(operation, function, result, functions):
    """Walks from a result through identities and calls to an operation, and takes it out."""
    nodes = {node.name: node for node in function.node_def}
    holder, place = function.ret, result
    while True:
        # Within a function a tensor is "node:output:index", or the bare name of an argument.
        name, _, index = holder[place].partition(":")
        node = nodes.get(name)
        if node is None:
            return False
        if node.op == operation:
            holder[place] = node.input[0]
            return True
        if node.op in CALLS:
            return _bypass(
                operation, *_called(node, index.rpartition(":")[2], functions), functions
            )
        if node.op not in TRANSPARENT:
            return False
        holder, place = node.input, 0

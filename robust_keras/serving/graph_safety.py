"""Reads a stranger's graph before it is loaded, and refuses what acts outside the model.

Loading a SavedModel already runs parts of it (the initialisers of its tables), so nothing is loaded
before every operation of the graph and of all its functions was found in `harmless_operations`.
"""

import os
import pathlib
import re
from collections.abc import Collection
from typing import Any

from robust_keras.errors import InputError
from robust_keras.serving.call_graph import called_by, reached
from robust_keras.serving.harmless_operations import HARMLESS, SAVER

_TEXT_FILE_TABLES = ("InitializeTableFromTextFileV2", "InitializeTableFromTextFile")
_STREAMS = (b"stderr", b"stdout", b"log(info)", b"log(warning)", b"log(error)")
# The first that matches tells why; what matches none is only unknown.
_REASONS = {
    "runs Python or another program": r"PyFunc|XlaCallModule|CustomCall|HostCompute|Mlir",
    "reaches other processes or machines": r"Rpc|Remote|Send|Recv|Collective|DataService|Nccl|"
    r"TPU|Worker|Distributed|Debug|^Copy",
    "works with files": r"File|Save|Restore|Reader|Record|Dataset|Vocab|Checkpoint|Summary|Dump|"
    r"Print|Proto|Immutable|Skipgram|Unigram|LoadAndRemap|Sql|LMDB",
    "reaches beyond the model's own tensors": r"Session|Queue|Stage|Barrier|Iterator|Abort|Sleep",
}
_SHOWN = 4


def check(message: Any, directory: pathlib.Path, trusted: Collection[str] = ()) -> None:
    """Raises InputError unless the model can only compute.

    Args:
        message: the `SavedModel` message that will be loaded.
        directory: `pathlib.Path` of the model, which must hold no link out of itself.
        trusted: names of operations that the user allows all the same.

    Raises:
        InputError: one line that names the operations or files and says what to do.
    """
    _check_files(directory)
    for graph in message.meta_graphs:
        _check_assets(graph, directory)
        found: dict[str, str] = {}
        for place, node, allowed in _operations(graph):
            if node.op not in allowed and node.op not in trusted and not _is_harmless(node):
                found.setdefault(node.op, place)
        for place, node in _foreign_tables(graph):
            if node.op not in trusted:
                found.setdefault(node.op, place)
        if found:
            raise _refusal(directory, found)


def _operations(graph):
    """Yields (place, node, what is allowed in that place) for the graph and all its functions."""
    # TensorFlow 2 runs none of the graph's own nodes: they are there for other loaders.
    for node in graph.graph_def.node:
        yield "the graph", node, SAVER
    saver = _saver_functions(graph)
    for function in graph.graph_def.library.function:
        name = function.signature.name
        for node in function.node_def:
            yield f"function {name}", node, SAVER if name in saver else ()


def _is_harmless(node):
    if node.op == "PrintV2":
        stream = node.attr.get("output_stream")  # saved only where it is not stderr
        return stream is None or stream.s in _STREAMS
    return node.op in HARMLESS or node.op in _TEXT_FILE_TABLES


def _saver_functions(graph):
    """Names of the functions that nothing but TensorFlow's own saver can call."""
    saver = graph.saver_def
    tensors = (saver.save_tensor_name, saver.restore_op_name, saver.filename_tensor_name)
    ends = {tensor.partition(":")[0] for tensor in tensors}
    nodes = graph.graph_def.node
    others = set(graph.object_graph_def.concrete_functions)
    others.update(called_by(node for node in nodes if node.name not in ends))
    others.update(g.gradient_func for g in graph.graph_def.library.registered_gradients)
    others.update(g.gradient_func for g in graph.graph_def.library.gradient)
    own = reached(called_by(node for node in nodes if node.name in ends), graph)
    return own - reached(others, graph)


def _foreign_tables(graph):
    """Yields (place, node) of tables filled from files that are not assets of the model."""
    functions = graph.graph_def.library.function
    called = {name for function in functions for name in called_by(function.node_def)}
    for function in functions:
        name = function.signature.name
        assets = set() if name in called else _asset_arguments(graph, function)
        for node in function.node_def:
            if node.op in _TEXT_FILE_TABLES and node.input[1] not in assets:
                yield f"function {name}", node


def _asset_arguments(graph, function):
    """Names of a function's arguments that its owner binds to files of the model's assets."""
    # To index a map of messages would put a new one into it.
    known = graph.object_graph_def.concrete_functions.get(function.signature.name)
    bound = known.bound_inputs if known is not None else ()
    arguments = [argument.name for argument in function.signature.input_arg]
    objects = graph.object_graph_def.nodes
    return {
        argument
        for argument, number in zip(arguments[len(arguments) - len(bound) :], bound, strict=False)
        if objects[number].HasField("asset")
    }


def _check_assets(graph, directory):
    for asset in graph.asset_file_def:
        path = pathlib.PurePosixPath(asset.filename)
        if path.is_absolute() or ".." in path.parts:
            raise InputError.expected(
                str(directory),
                "a SavedModel whose assets lie in its own directory",
                f"the asset '{asset.filename}'; nothing was loaded",
            )


def _check_files(directory):
    """Refuses links out of the model's directory and whatever is no file."""
    root = pathlib.Path(os.path.realpath(directory))
    for path in (root / "saved_model.pb", *_tree(root / "variables"), *_tree(root / "assets")):
        real = pathlib.Path(os.path.realpath(path))
        if root not in real.parents or not (real.is_file() or real.is_dir()):
            raise InputError.expected(
                str(directory),
                "a SavedModel of plain files in one directory (where links are meant, copy it with "
                "them followed, cp -rL, and give the copy)",
                f"{path.relative_to(root)}, which leads to {real}",
            )


def _tree(path):
    return (path, *path.rglob("*")) if path.is_symlink() or path.exists() else ()


def _refusal(directory, found):
    names = sorted(found)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    first = f"{names[0]} in {found[names[0]]} ({_reason(names[0])})"
    others = "".join(f", {name} ({_reason(name)})" for name in names[1:_SHOWN])
    trust = ",".join(names[:_SHOWN]) + (",..." if more else "")
    return InputError.expected(
        str(directory),
        "a model that only computes; nothing was loaded, export it without what is named here or, "
        f"if you trust its author, add --trusted_operations={trust}",
        f"the operation {first}{others}{more}",
    )


def _reason(name):
    known = (why for why, text in _REASONS.items() if re.search(text, name))
    return next(known, "not known to be harmless")

"""Edit of a SavedModel's graph before loading: an input of whole numbers takes floats.

An operation on whole numbers has no gradient, so a model that takes bytes has none either, though
the first thing that it does is to make floats of them. With that cast taken out of the way it is
the same function of floats that happen to be whole.
"""

from typing import Any

from tensorflow.core.framework import types_pb2

from robust_keras.serving.operation_kinds import CALLS

# Operations that hand the numbers of their first input on as they are: their "T" is the dtype.
_HAND_ON = (
    "EnsureShape",
    "ExpandDims",
    "Identity",
    "Pad",
    "Reshape",
    "ResizeNearestNeighbor",
    "ReverseV2",
    "Squeeze",
    "StridedSlice",
    "Transpose",
)
# Operations whose output does not depend on the dtype of the numbers.
_END = ("ResizeArea", "ResizeBicubic", "ResizeBilinear", "Shape")
_WHOLE = {
    types_pb2.DT_UINT8,
    types_pb2.DT_INT8,
    types_pb2.DT_UINT16,
    types_pb2.DT_INT16,
    types_pb2.DT_INT32,
    types_pb2.DT_UINT32,
    types_pb2.DT_INT64,
    types_pb2.DT_UINT64,
}


def accept_floats(message: Any, endpoint_name: str) -> bool:
    """Lets a function's only input of whole numbers take float32.

    Args:
        message: `SavedModel`, changed in place, so that it is of no use where this fails.
        endpoint_name: a signature, or "__call__" for the root object's own function.

    Returns:
        Whether it could be done: what the function does with the numbers until it makes floats of
        them must be known.
    """
    graph = next(g for g in message.meta_graphs if "serve" in g.meta_info_def.tags)
    library = graph.graph_def.library
    functions = {function.signature.name: function for function in library.function}
    names = _entry_functions(graph.object_graph_def, endpoint_name)
    edits = _Edits(library, functions)
    return bool(names) and all(
        edits.entry(functions[name], graph.object_graph_def.concrete_functions[name])
        for name in names
    )


def _entry_functions(objects, name):
    """Names of the graph functions behind a signature, or behind the root's `__call__`."""
    node = objects.nodes[0]
    for local_name in ("__call__",) if name == "__call__" else ("signatures", name):
        children = {child.local_name: child.node_id for child in node.children}
        if local_name not in children:
            return []
        node = objects.nodes[children[local_name]]
    if node.HasField("bare_concrete_function"):
        return [node.bare_concrete_function.concrete_function_name]
    return list(node.function.concrete_functions)


class _Edits:
    def __init__(self, library, functions):
        self._library = library
        self._functions = functions

    def entry(self, function, concrete):
        """Edits a function that is called from outside, and what it says of its inputs."""
        whole = [i for i, arg in enumerate(function.signature.input_arg) if arg.type in _WHOLE]
        if len(whole) != 1:
            return False
        _retype_specs(concrete.canonicalized_input_signature)
        return self._input(function, whole[0])

    def _input(self, function, place):
        """Lets one input of a function be float32, and all that depends on it."""
        argument = function.signature.input_arg[place]
        argument.type = types_pb2.DT_FLOAT
        argument.ClearField("experimental_full_type")
        floats, changed = {argument.name}, True
        done = set()
        while changed:
            changed = False
            for node in function.node_def:
                places = [p for p, name in enumerate(node.input) if _tensor(name) in floats]
                if not places or node.name in done:
                    continue
                if not self._node(node, places, floats):
                    return False
                done.add(node.name)
                changed = True
        # A result of floats would be another type for whoever calls the function.
        return not any(_tensor(name) in floats for name in function.ret.values())

    def _node(self, node, places, floats):
        node.ClearField("experimental_type")
        if node.op in CALLS:
            return self._call(node, places)
        if places != [0]:
            return False
        if node.op == "Cast":
            return _cast(node, floats)
        if node.op not in _HAND_ON + _END:
            return False
        node.attr["T"].type = types_pb2.DT_FLOAT
        if node.op in _HAND_ON:
            floats.add(node.name)
        return True

    def _call(self, node, places):
        if len(places) != 1:
            return False
        # Others may call the same function with whole numbers.
        copy = self._library.function.add()
        copy.CopyFrom(self._functions[node.attr["f"].func.name])
        copy.signature.name += "_of_floats"
        self._functions[copy.signature.name] = copy
        node.attr["f"].func.name = copy.signature.name
        node.attr["Tin"].list.type[places[0]] = types_pb2.DT_FLOAT
        return self._input(copy, places[0])


def _cast(node, floats):
    node.attr["SrcT"].type = types_pb2.DT_FLOAT
    if node.attr["DstT"].type in _WHOLE:
        node.attr["DstT"].type = types_pb2.DT_FLOAT
        floats.add(node.name)
    return True


def _tensor(name):
    """The node, or the argument, that an input of a node names; control inputs name none."""
    return "" if name.startswith("^") else name.partition(":")[0]


def _retype_specs(value):
    """Makes float32 of whole numbers in every tensor that a structure describes."""
    for field, part in value.ListFields():
        if field.name in ("tensor_spec_value", "bounded_tensor_spec_value"):
            if part.dtype in _WHOLE:
                part.dtype = types_pb2.DT_FLOAT
        elif field.name in ("tuple_value", "list_value"):
            for member in part.values:
                _retype_specs(member)
        elif field.name == "dict_value":
            for member in part.fields.values():
                _retype_specs(member)
        elif field.name == "named_tuple_value":
            for pair in part.values:
                _retype_specs(pair.value)

"""Operations that are made once, and copied into every graph that needs them."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Graphs that are kept: one for each function, its settings and the shapes it was given.
_KEPT = 256


def made_once(function: Callable) -> Callable:
    """Returns the function, whose operations are made in Python once and copied from then on.

    A model is traced about ten times until it is trained and exported, each of its layers each
    time, and making their operations in Python takes longest; a copy has the same operations.

    Args:
        function: from tensors, each of which it needs, and hashable settings, also nested in
            tuples, to a tensor. Its gradients are TensorFlow's own: a `tf.custom_gradient` would
            stay with the first graph.
    """

    def call(*arguments):
        if tf.executing_eagerly():
            return function(*arguments)
        specs = tf.nest.map_structure(_spec, arguments)
        definition = _definition(function, specs)
        if definition is None:
            return function(*arguments)
        tensors = [value for value in tf.nest.flatten(arguments) if tf.is_tensor(value)]
        given = {f"input{i}": _here(tensor) for i, tensor in enumerate(tensors)}
        (output,) = tf.graph_util.import_graph_def(
            definition, given, ["output:0"], name=function.__name__.strip("_")
        )
        return output

    return call


def _spec(value):
    return tf.TensorSpec(value.shape, value.dtype) if tf.is_tensor(value) else value


def _here(tensor):
    """The tensor in the graph that is traced now, which may lie inside its own."""
    inside = getattr(tensor, "graph", None) is tf.compat.v1.get_default_graph()
    return tensor if inside else tf.identity(tensor)


@functools.lru_cache(maxsize=_KEPT)
def _definition(function: Callable, arguments: Any) -> Any:
    """The operations as a `GraphDef`, or None where they call functions."""
    with tf.Graph().as_default() as graph:
        flat = tf.nest.flatten(arguments)
        specs = [value for value in flat if isinstance(value, tf.TensorSpec)]
        inputs = iter(
            tf.compat.v1.placeholder(spec.dtype, spec.shape, name=f"input{i}")
            for i, spec in enumerate(specs)
        )
        values = [next(inputs) if isinstance(v, tf.TensorSpec) else v for v in flat]
        tf.identity(function(*tf.nest.pack_sequence_as(arguments, values)), name="output")
    definition = graph.as_graph_def()
    if definition.library.function:
        return None
    # Copied along, they would stay behind unused, and XLA compiles no placeholder.
    inside = [node for node in definition.node if node.op != "Placeholder"]
    del definition.node[:]
    definition.node.extend(inside)
    return definition

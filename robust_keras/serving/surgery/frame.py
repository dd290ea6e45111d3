"""One function of a graph that is emitted again, operation by operation, into another graph.

TensorFlow keeps what a model computes as functions that call each other. A copy holds the same
operations in one piece: calls are inlined, loops and branches stay loops and branches. Variables
are not copied, so it costs no memory and sees the same weights.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tensorflow as tf

from robust_keras.serving.operation_kinds import CALLS
from robust_keras.serving.surgery import control_flow, tensorflow_private
from robust_keras.serving.surgery.values import NotCopied, Value, free

_COMPILED = ("_XlaCompile", "_XlaScope", "_XlaSeparateCompiledGradients")
_TENSORFLOW_1 = ("Enter", "Exit", "NextIteration", "Switch", "Merge", "LoopCond")


class Frame:
    """A function of a graph while it is emitted again, into the graph that is traced now.

    Args:
        graph: the function's `tf.Graph`.
        arguments: a `Value` for each of its inputs.
        surgeon: function from (frame, operation, list of `Value`s) to the `Value`s of its outputs.
        path: names of the calls that lead here.
        outer: `Frame` of the function around it, or None.
        values: `Value`s by name of tensors that are known already.
        compiled: whether runs of operations that XLA should compile stay marked. What is asked a
            few times only is sooner done without.
    """

    def __init__(
        self,
        graph: Any,
        arguments: Sequence[Value],
        surgeon: Callable,
        path: tuple[str, ...] = (),
        outer: "Frame | None" = None,
        values: dict[str, Value] | None = None,
        *,
        compiled: bool = True,
    ):
        self.compiled = compiled
        self.graph, self.surgeon, self.path, self.outer = graph, surgeon, path, outer
        self.arguments = tuple(arguments)
        inputs = zip(graph.inputs, arguments, strict=True)
        self._values = {tensor.name: value for tensor, value in inputs} | (values or {})
        self._done: dict[str, tuple] = {tensor.op.name: () for tensor in graph.inputs}

    def value(self, tensor: tf.Tensor) -> Value:
        """The `Value` that stands for a tensor of the function, or of one around it."""
        if not tf.is_symbolic_tensor(tensor):
            return free(tensor)
        frame: Frame | None = self
        while frame is not None and frame.graph is not tensor.graph:
            frame = frame.outer
        if frame is None:
            raise NotCopied(f"It uses {tensor.name} of a graph that is not at hand.")
        if tensor.name not in frame._values:
            frame.need(tensor.op)
        return frame._values[tensor.name]

    def need(self, operation: Any) -> None:
        """Emits an operation and all that come before it."""
        waiting = [operation]
        while waiting:
            if waiting[-1].name in self._done:
                waiting.pop()
                continue
            missing = self._missing(waiting[-1])
            if missing:
                waiting.extend(missing)
            else:
                self._emit(waiting.pop())

    def _missing(self, operation):
        if operation.type in _TENSORFLOW_1:
            raise NotCopied(f"It holds {operation.type}, a loop or branch of TensorFlow 1.")
        unknown = [tensor.op for tensor in operation.inputs if tensor.name not in self._values]
        return [o for o in (*unknown, *operation.control_inputs) if o.name not in self._done]

    def _emit(self, operation):
        inputs = [self._values[tensor.name] for tensor in operation.inputs]
        earlier = [o for before in operation.control_inputs for o in self._done[before.name]]
        with tf.control_dependencies(earlier):
            outputs, made = self._outputs(operation, inputs)
        for tensor, value in zip(operation.outputs, outputs, strict=True):
            self._values.setdefault(tensor.name, value)
        self._done[operation.name] = made

    def _outputs(self, operation, inputs):
        if operation.type in CALLS:
            return self.called(operation, inputs)
        if operation.type in control_flow.EMIT:
            outputs = control_flow.EMIT[operation.type](self, operation, inputs)
            return outputs, tuple(value.tensor.op for value in outputs[:1])
        outputs = self.surgeon(self, operation, inputs)
        if outputs:
            return outputs, (outputs[0].tensor.op,)
        return (), (self.created(operation, inputs),)

    def called(self, operation: Any, inputs: Sequence[Value]) -> tuple:
        """The outputs of the function that an operation calls, and what must run for them."""
        outputs, made = self.inner(operation, operation.get_attr("f").name, inputs).run()
        # Where a gradient was asked for, TensorFlow has added what that needs.
        return outputs[: len(operation.outputs)], made

    def inner(self, operation: Any, name: str, inputs: Sequence[Value]) -> "Frame":
        """The `Frame` of a function, by its name, that an operation calls."""
        graph = tensorflow_private.function_graph(self.graph, name)
        if graph is None:
            raise NotCopied(f"It calls {name}, which is not at hand.")
        return Frame(
            graph, inputs, self.surgeon, (*self.path, operation.name), self, compiled=self.compiled
        )

    def run(self) -> tuple:
        """The `Value`s of the function's outputs, and the operations that must run for them."""
        for operation in self.graph.control_outputs:
            self.need(operation)
        outputs = [self.value(tensor) for tensor in self.graph.outputs]
        controls = [o for c in self.graph.control_outputs for o in self._done[c.name]]
        made = [value.tensor.op for value in outputs if tf.is_symbolic_tensor(value.tensor)]
        return outputs, tuple(controls + made)

    def again(self, values: dict[str, Value], surgeon: Callable) -> "Frame":
        """The same function once more, with other tensors in some places.

        Args:
            values: `Value`s by name of the tensors in whose place they stand.
            surgeon: of the new one.
        """
        return Frame(
            self.graph,
            self.arguments,
            surgeon,
            self.path,
            self.outer,
            values,
            compiled=self.compiled,
        )

    def created(self, operation: Any, inputs: Iterable[Value]) -> Any:
        """The same operation on other inputs, in the graph that is traced now.

        Args:
            operation: `tf.Operation` of another graph.
            inputs: a `Value` for each of its inputs.
        """
        attributes = dict(operation.node_def.attr)
        if any(a.HasField("func") or a.list.func for a in attributes.values()):
            raise NotCopied(f"{operation.type} runs a function that cannot be looked into.")
        left = ("_class",) if self.compiled else ("_class", *_COMPILED)
        kept = {name: value for name, value in attributes.items() if name not in left}
        new = tf.compat.v1.get_default_graph().create_op(
            operation.type,
            [value.tensor for value in inputs],
            [output.dtype for output in operation.outputs],
            name=operation.name.rpartition("/")[2],
            attrs=kept,
        )
        for mine, theirs in zip(new.outputs, operation.outputs, strict=True):
            mine.set_shape(theirs.shape)
        return new

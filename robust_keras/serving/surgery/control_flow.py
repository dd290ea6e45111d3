"""Loops and branches of a graph, emitted again as loops and branches."""

from typing import Any

import tensorflow as tf

from robust_keras.serving.surgery.values import Value


def _branches(frame, operation, inputs, names):
    """Functions that emit the branches, and what the images reach in their outputs."""
    reached: list[list[Value]] = []

    def branch(name):
        def emitted():
            outputs, _ = frame.inner(operation, name, inputs).run()
            reached.append(outputs)
            return [tf.identity(value.tensor) for value in outputs]

        return emitted

    return [branch(name) for name in names], reached


def _if(frame, operation, inputs):
    condition, *arguments = inputs
    names = [operation.get_attr(part).name for part in ("then_branch", "else_branch")]
    (true, false), reached = _branches(frame, operation, arguments, names)
    outputs = tf.cond(_scalar_truth(condition.tensor), true, false)
    return _joined(tf.nest.flatten(outputs), reached, condition)


def _case(frame, operation, inputs):
    index, *arguments = inputs
    names = [function.name for function in operation.get_attr("branches")]
    branches, reached = _branches(frame, operation, arguments, names)
    return _joined(tf.nest.flatten(tf.switch_case(index.tensor, branches)), reached, index)


def _scalar_truth(tensor):
    if tensor.dtype == tf.bool:
        return tensor
    return tf.not_equal(tensor, tf.zeros((), tensor.dtype))


def _joined(tensors, reached, choice):
    rows = zip(tensors, zip(*reached, strict=True), strict=True)
    return [
        Value(
            tensor,
            data=choice.data or any(value.data for value in values),
            gradient=any(value.gradient for value in values),
        )
        for tensor, values in rows
    ]


def _while(frame, operation, inputs):
    body, condition = (operation.get_attr(part).name for part in ("body", "cond"))
    graph = frame.inner(operation, body, inputs).graph
    pairs = zip(graph.inputs, graph.outputs, strict=True)
    # What the loop never changes, such as a weight, stays outside of it.
    turning = [index for index, (before, after) in enumerate(pairs) if before is not after]

    def values(tensors):
        given = list(inputs)
        for index, tensor in zip(turning, tensors, strict=True):
            reached = inputs[index].data or tensor.dtype.is_floating or tensor.dtype == tf.variant
            given[index] = Value(tensor, data=reached, gradient=reached)
        return given

    def going(*tensors):
        outputs, _ = frame.inner(operation, condition, values(tensors)).run()
        return _scalar_truth(outputs[0].tensor)

    def step(*tensors):
        outputs, _ = frame.inner(operation, body, values(tensors)).run()
        return [outputs[index].tensor for index in turning]

    outputs = tf.while_loop(
        going,
        step,
        [inputs[index].tensor for index in turning],
        shape_invariants=[operation.outputs[index].shape for index in turning],
        parallel_iterations=operation.get_attr("parallel_iterations"),
    )
    return values(tf.nest.flatten(outputs))


EMIT: dict[str, Any] = {
    "If": _if,
    "StatelessIf": _if,
    "Case": _case,
    "StatelessCase": _case,
    "While": _while,
    "StatelessWhile": _while,
}

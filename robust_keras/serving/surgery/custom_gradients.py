"""Gradients that a model brings along, kept in a copy of its graph and tried against its values."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from robust_keras.serving.surgery import tensorflow_private
from robust_keras.serving.surgery.frame import Frame
from robust_keras.serving.surgery.values import Value, free

# Of the size of what goes in: long enough for float32, short enough for a bent function.
_STEP = 0.01
_NAME = "_gradient_op_type"


def has_one(operation: Any) -> bool:
    """Whether a model brought a gradient of its own for the operation."""
    return operation.type == "IdentityN" and _NAME in operation.node_def.attr


class CustomGradient:
    """The gradient that a model brought for a part of itself.

    Args:
        frame: `Frame` of the function that holds it.
        operation: `IdentityN` that marks the end of the part; its inputs are the results, then
            what they were computed from.
        inputs: a `Value` for each of them.

    Raises:
        LookupError: the gradient was not saved with the model.
    """

    def __init__(self, frame: Frame, operation: Any, inputs: Sequence[Value]):
        self._frame, self._operation, self._inputs = frame, operation, inputs
        self._function, self._given = _traced(operation)
        self._captured = [frame.value(tensor) for tensor in self._function.captured_inputs]
        self._used = [index for index, o in enumerate(operation.outputs) if o.consumers()] or [0]

    def kept(self) -> list[tf.Tensor]:
        """The outputs, with that gradient."""

        @tf.custom_gradient
        def part(*tensors):
            return [tf.identity(tensor) for tensor in tensors], self._gradient

        return part(*(value.tensor for value in self._inputs))

    def _gradient(self, *upstream):
        pairs = zip(upstream, self._inputs, strict=True)
        filled = [tf.zeros_like(v.tensor) if up is None else up for up, v in pairs]
        values = [free(tensor) for tensor in filled]
        frame = Frame(
            self._function.graph,
            [*values, *self._captured],
            _values,
            self._frame.path,
            self._frame,
            compiled=self._frame.compiled,
        )
        found = iter(frame.run()[0])
        return [next(found).tensor if given else None for given in self._given]

    def slopes(self) -> tf.Tensor:
        """Slopes along a random direction of what goes in, of a random sum of the result.

        Returns:
            (2, images) float32, or (2, 1) where nothing that goes in has a place for the images:
            by the model's gradient, and by finite differences.
        """
        places = self._arguments()
        start = [self._inputs[index].tensor for index in places]
        result = self._inputs[self._used[0]].tensor
        weights = _random(result, 0)
        directions = [_random(t, seed) * _size(t) for seed, t in enumerate(start, 1)]
        upstream: list[Any] = [None] * len(self._inputs)
        upstream[self._used[0]] = weights
        gradients = self._gradient(*upstream)
        pairs = zip((gradients[index] for index in places), directions, strict=True)
        rows = any(_rows(tensor) for tensor in start) and _rows(result)
        told = [_product(g, d, rows) for g, d in pairs if g is not None]

        def moved(step):
            there = [t + step * d for t, d in zip(start, directions, strict=True)]
            return _product(self._result(places, there), weights, rows)

        found = (moved(_STEP) - moved(-_STEP)) / (2 * _STEP)
        return tf.stack([tf.add_n([tf.zeros_like(found), *told]), found])

    def _arguments(self):
        """Places of the inputs of floats that the results were computed from."""
        dtypes = [tensor.dtype for tensor in self._operation.inputs]
        floats = [i for i in range(max(self._used) + 1, len(dtypes)) if dtypes[i].is_floating]
        images = [i for i in floats if _rows(self._inputs[i].tensor)]
        return images or floats

    def _result(self, places, tensors):
        """The first result where other tensors stand for what it was computed from."""
        names = [self._operation.inputs[index].name for index in places]
        values = dict(zip(names, map(free, tensors), strict=True))
        result = self._operation.inputs[self._used[0]]
        return self._frame.again(values, _values).value(result).tensor


def _values(frame: Frame, operation: Any, inputs: Sequence[Value]) -> list[Value]:
    """Emits an operation whose value alone is wanted: a gradient of its own would cost a trace."""
    if has_one(operation):
        return list(inputs)
    return [free(tensor) for tensor in frame.created(operation, inputs).outputs]


def _traced(operation):
    """The gradient as a function of what comes down the graph, and which inputs it gives one."""
    given = []
    gradient = tensorflow_private.gradient_of(operation)

    def called(*upstream):
        found = gradient(operation, *upstream)
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        given[:] = [tensor is not None for tensor in found]
        return [tf.convert_to_tensor(tensor) for tensor in found if tensor is not None]

    specs = [tf.TensorSpec(o.shape, o.dtype) for o in operation.outputs]
    with operation.graph.as_default():
        function = tf.function(called, autograph=False).get_concrete_function(*specs)
    return function, given


def _random(tensor, seed):
    # A seed of its own: a gradient that is drawn at random must not be the same draw.
    return tf.random.stateless_normal(tf.shape(tensor), (seed, 271828), dtype=tensor.dtype)


def _size(tensor):
    return tf.math.reduce_std(tensor) + tf.constant(1e-6, tensor.dtype)


def _rows(tensor):
    """Whether its first axis is that of the images, whose number is open."""
    return bool(tensor.shape.rank) and tensor.shape[0] is None


def _product(left, right, rows):
    product = tf.cast(left * right, tf.float32)
    return tf.reduce_sum(tf.reshape(product, [tf.shape(product)[0], -1] if rows else [1, -1]), 1)

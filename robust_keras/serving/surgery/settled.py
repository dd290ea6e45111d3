"""What a graph computes of its weights alone: computed once, and put in place of its operations."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from robust_keras import compiled
from robust_keras.serving.surgery.frame import Frame
from robust_keras.serving.surgery.surgeon import Surgeon, copied
from robust_keras.serving.surgery.values import NotCopied, Value

# Of what depends on a state, only weights that nobody writes stay the same.
_READS = ("ReadVariableOp", "VarHandleOp")
# An input of an operation: its name with the calls that lead to it, and its place.
Place = tuple[str, int]


def settled(concrete: Any, images: tf.Tensor) -> Surgeon:
    """Emits a function of images, of which nothing is left to do but what images take part in.

    A kernel activation's table, a normalised weight, a folded statistic: whatever depends neither
    on the images nor on their number is computed once. Later changes of the weights are not seen.

    Args:
        concrete: its `ConcreteFunction`, of one batch of images.
        images: any float32 tensor of such a batch.

    Returns:
        What to emit a copy of the function with, see `copied`.

    Raises:
        NotCopied: the graph holds something that cannot be emitted again, or writes.
    """
    places: list[Place] = []

    def found(batch):
        search = _Search()
        copied(concrete, batch, search)
        places.extend(search.found)
        return list(search.found.values())

    signature = [tf.TensorSpec(concrete.inputs[0].shape, tf.float32)]
    values = compiled.function(found, signature)(images)
    known = dict(zip(places, values, strict=True))
    return _Settled(known)


class _Search(Surgeon):
    """Finds the inputs of operations that images reach which they themselves do not."""

    def __init__(self):
        self.found: dict[Place, tf.Tensor] = {}
        self._graph = tf.compat.v1.get_default_graph()
        self._fixed: set[Any] = set()

    def __call__(self, frame: Frame, operation: Any, inputs: Sequence[Value]) -> list[Value]:
        """See `Surgeon`."""
        if operation.op_def.is_stateful and operation.type not in _READS:
            raise NotCopied(f"{operation.type} may change what it computes.")
        fixed = [self._is_fixed(value.tensor) for value in inputs]
        outputs = super().__call__(frame, operation, inputs)
        if all(fixed) and not any(value.data for value in inputs):
            self._fixed |= {value.tensor.ref() for value in outputs}
            return outputs
        for place, (value, alone) in enumerate(zip(inputs, fixed, strict=True)):
            if alone and self._is_computed(value.tensor):
                self.found[_name(frame, operation), place] = value.tensor
        return outputs

    def _is_fixed(self, tensor):
        return not tf.is_symbolic_tensor(tensor) or tensor.ref() in self._fixed

    def _is_computed(self, tensor):
        """Whether it is a number that an operation of this graph itself computes."""
        if not tf.is_symbolic_tensor(tensor) or tensor.graph is not self._graph:
            return False
        other = tensor.dtype in (tf.resource, tf.variant, tf.string)
        return not other and tensor.op.type != "Const"


class _Settled(Surgeon):
    """Puts what is known in the place of inputs."""

    def __init__(self, known: dict[Place, tf.Tensor]):
        self._known = known

    def __call__(self, frame: Frame, operation: Any, inputs: Sequence[Value]) -> list[Value]:
        """See `Surgeon`."""
        name = _name(frame, operation)
        inputs = [
            dataclasses.replace(value, tensor=self._known.get((name, place), value.tensor))
            for place, value in enumerate(inputs)
        ]
        return super().__call__(frame, operation, inputs)


def _name(frame, operation):
    return "/".join((*frame.path, operation.name))

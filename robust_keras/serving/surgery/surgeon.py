"""Emits a graph again, and opens the operations that stop or bend gradients where it is told to."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from robust_keras.serving.surgery import stand_ins, tensorflow_private
from robust_keras.serving.surgery.custom_gradients import CustomGradient, has_one
from robust_keras.serving.surgery.frame import Frame
from robust_keras.serving.surgery.values import Entry, NotCopied, Value, free

_KEEP_MASKS = ("Identity", "Reshape", "ExpandDims", "Squeeze", "Cast", "Sub", "BroadcastTo", "Tile")


_SHAPES_KEPT = 6


@dataclasses.dataclass(frozen=True)
class Site:
    """A place in a graph where a gradient may be stopped or bent.

    Args:
        name: of the operation, with the calls that lead to it.
        operation: its type.
        kind: a word from `stand_ins.KINDS`.
    """

    name: str
    operation: str
    kind: str


class Surgeon:
    """Emits every operation as it is; what it opens, a subclass says."""

    compiled = True

    def open_up(self, site: Site, output: tf.Tensor, make: Callable) -> tf.Tensor | None:
        """The tensor to go on with in place of an output, or None to leave it.

        Args:
            site: where it is.
            output: as the model computes it.
            make: function without arguments to the same output with another backward pass, or to
                None where there is none.
        """
        return None

    def note_custom(self, site: Site, gradient: CustomGradient) -> None:
        """Called with a custom gradient before it is opened."""

    def note_choice(self, site: Site, jump: tf.Tensor, gaps: Sequence[tf.Tensor]) -> None:
        """Called with a choice before it is opened.

        Args:
            site: where it is.
            jump: one branch less the other.
            gaps: how far the conditions are from their thresholds, of shapes that broadcast.
        """

    def note_chance(self, site: Site) -> None:
        """Called with an operation that draws at random."""

    def __call__(self, frame: Frame, operation: Any, inputs: Sequence[Value]) -> list[Value]:
        """The `Value`s of an operation's outputs."""
        name = "/".join((*frame.path, operation.name))
        if stand_ins.DRAWS.fullmatch(operation.type):
            self.note_chance(Site(name, operation.type, "chance"))
        if not any(value.data for value in inputs) or operation.type in stand_ins.SHAPES:
            return [free(tensor) for tensor in frame.created(operation, inputs).outputs]
        if has_one(operation):
            return self._custom_gradient(frame, operation, inputs, name)
        if operation.type == "Mul" and _masked(inputs):
            return self._multiplied(frame, operation, inputs, name)
        if any(value.mask for value in inputs) and operation.type in _KEEP_MASKS:
            return self._mask(frame, operation, inputs)
        blind = not tensorflow_private.has_gradient(operation)
        outputs = frame.created(operation, inputs).outputs
        if blind:
            outputs = list(map(_stopped, outputs))
        values = [_flow(operation, tensor, inputs, name, blind) for tensor in outputs]
        return self._opened(operation, inputs, values, name)

    def _opened(self, operation, inputs, values, name):
        first, *others = values
        kind = stand_ins.KINDS.get(operation.type)
        if operation.type in ("Select", "SelectV2"):
            first = self._chosen(Site(name, operation.type, kind), inputs, first)
        elif operation.type in stand_ins.STAND_INS and any(v.gradient for v in inputs):
            make = stand_ins.STAND_INS[operation.type]
            site = Site(name, operation.type, kind)
            first = self._replaced(site, first, lambda: make(first.tensor, inputs))
        return [self._bridged(value) for value in (first, *others)]

    def _replaced(self, site, value, make):
        """The value with what was opened in its place."""
        tensor = self.open_up(site, value.tensor, make)
        if tensor is None:
            return value
        return dataclasses.replace(value, tensor=tensor, gradient=True, plain=value.tensor)

    def _bridged(self, value):
        """A tensor of floats without a gradient gets one from those that it was made of."""
        if not (value.data and value.tensor.dtype.is_floating) or value.gradient:
            return value
        if not value.entries:
            return value
        last = min(value.entries, key=lambda entry: _rank(entry.operation))
        site = Site(last.name, last.operation, stand_ins.KINDS.get(last.operation, "cast"))
        return self._replaced(site, value, lambda: stand_ins.across(value.tensor, value.entries))

    def _chosen(self, site, inputs, value):
        """A choice between two branches by a condition that depends on the image."""
        condition, first, second = inputs
        if not condition.data or not (first.gradient or second.gradient):
            return value
        gaps = [entry.tensor for entry in condition.entries]
        self.note_choice(site, first.tensor - second.tensor, gaps)
        return self._replaced(
            site, value, lambda: stand_ins.both_ways(value.tensor, first.tensor, second.tensor)
        )

    def _multiplied(self, frame, operation, inputs, name):
        """A tensor times a mask: on the way back the mask counts as all ones."""
        mask, other = sorted(inputs, key=lambda value: not value.mask)
        raw = [dataclasses.replace(v, tensor=_plain(v)) if v.mask else v for v in inputs]
        tensor = frame.created(operation, raw).outputs[0]
        site = Site(name, "Mul", "threshold")
        gaps = [entry.tensor for entry in mask.entries]
        self.note_choice(site, other.tensor * tf.ones_like(_plain(mask)), gaps)
        value = Value(tensor, data=True, gradient=True)
        return [self._replaced(site, value, lambda: stand_ins.straight(tensor, other.tensor))]

    def _mask(self, frame, operation, inputs):
        """A mask in another shape or type, or one minus it; what it is without a gradient too."""
        raw = [dataclasses.replace(v, tensor=_plain(v)) for v in inputs]
        plain = frame.created(operation, raw).outputs[0]
        reached = any(value.gradient for value in inputs)
        tensor = frame.created(operation, inputs).outputs[0] if reached else plain
        source = next(value for value in inputs if value.mask)
        value = dataclasses.replace(source, tensor=tensor, plain=plain, gradient=reached)
        return [value if operation.type != "Cast" else self._bridged(value)]

    def _custom_gradient(self, frame, operation, inputs, name):
        site = Site(name, operation.type, "custom gradient")
        try:
            gradient = CustomGradient(frame, operation, inputs)
            self.note_custom(site, gradient)
            kept = gradient.kept()
        except LookupError:
            kept = [tf.stop_gradient(value.tensor) for value in inputs]
        reached = any(value.gradient for value in inputs)
        pairs = zip(inputs, kept, strict=True)
        return [self._with_custom_gradient(site, v, t, reached) for v, t in pairs]

    def _with_custom_gradient(self, site, before, tensor, reached):
        value = dataclasses.replace(before, tensor=tensor, gradient=reached, plain=None)
        if not (before.data and tensor.dtype.is_floating):
            return value
        return self._replaced(site, value, lambda: _own(before, tensor))


def _own(before, tensor):
    """The output with the gradient of the operations which compute it."""
    if before.gradient:
        return stand_ins.swapped(tensor, before.tensor)
    return stand_ins.across(tensor, before.entries)


def _stopped(tensor):
    """A tensor that no gradient reaches: an operation without one would raise an error."""
    return tf.stop_gradient(tensor) if _differentiable(tensor.dtype) else tensor


def _flow(operation, tensor, inputs, name, blind):
    """What is known of an output: whether images and gradients reach it, and through what."""
    reached = [value for value in inputs if value.gradient]
    stopped = blind or operation.type in (*stand_ins.ROUNDING, *stand_ins.STOPPED)
    if reached and _differentiable(tensor.dtype) and not stopped:
        return Value(tensor, data=True, gradient=True, lineage=_lineage(reached))
    earlier = tuple(entry for value in inputs for entry in value.entries)
    if operation.type in stand_ins.COMPARISONS and reached:
        own: tuple = (Entry(_lead(operation, inputs), operation.type, name),)
    else:
        own = tuple(Entry(v.tensor, operation.type, name, v.lineage) for v in reached)
    entries = _named(operation, (*earlier, *own), name)
    cast = operation.type == "Cast" and inputs[0].tensor.dtype == tf.bool
    mask = cast or tensor.dtype == tf.bool
    return Value(tensor, data=True, entries=entries, mask=mask)


def _differentiable(dtype):
    return dtype.is_floating or dtype.is_complex or dtype == tf.variant


def _lineage(values):
    """The latest tensors of each of a few shapes that values were made of, themselves included."""
    tensors = [tensor for value in values for tensor in (*value.lineage, value.tensor)]
    return tuple({str(tensor.shape): tensor for tensor in tensors}.values())[-_SHAPES_KEPT:]


def _lead(operation, inputs):
    """How far the condition of a comparison is fulfilled."""
    left, right = (value.tensor for value in inputs)
    return left - right if operation.type.startswith("Greater") else right - left


def _named(operation, entries, name):
    """The entries, named after this operation where it tells more than those before it."""
    rank = _rank(operation.type)
    # Each tensor once, or their number would double with every operation.
    once = {id(entry.tensor): entry for entry in entries}
    return tuple(
        dataclasses.replace(e, operation=operation.type, name=name)
        if rank < _rank(e.operation)
        else e
        for e in once.values()
    )


def _rank(operation):
    return [*stand_ins.STOPPING, operation].index(operation)


def _masked(inputs):
    masks = [value.mask and value.tensor.dtype.is_floating for value in inputs]
    others = [value.gradient and not value.mask for value in inputs]
    return masks.count(True) == 1 and others.count(True) == 1


def _plain(value):
    return value.tensor if value.plain is None else value.plain


def copied(concrete: Any, images: tf.Tensor, surgeon: Surgeon) -> tf.Tensor:
    """What a function of images computes, emitted again into the graph that is traced now.

    Args:
        concrete: its `ConcreteFunction`, of one batch of images.
        images: the batch.
        surgeon: what is emitted for each operation.

    Raises:
        NotCopied: the graph holds something that cannot be emitted again.
    """
    captured = [free(tensor) for tensor in concrete.captured_inputs]
    start = Value(images, data=True, gradient=True)
    try:
        values = [start, *captured]
        frame = Frame(concrete.graph, values, surgeon, compiled=surgeon.compiled)
        outputs, controls = frame.run()
    except NotCopied:
        raise
    # A stranger's graph may hold anything.
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise NotCopied(f"TensorFlow cannot copy it: {lines[0][:200]}.") from error
    with tf.control_dependencies(controls):
        return tf.identity(outputs[0].tensor)

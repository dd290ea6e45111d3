"""What is known of a tensor in a copy of a graph: whether images, and their gradients, reach it."""

import dataclasses
from typing import Any

import tensorflow as tf


class NotCopied(Exception):
    """A graph that cannot be copied; its text is one sentence that says why."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A tensor that has a gradient, at the last place where it has one.

    Args:
        tensor: of floats.
        operation: type of the operation that stops its gradient, such as "Cast".
        name: of that operation, with the calls that lead to it.
        lineage: tensors of other shapes that it was made of.
    """

    tensor: tf.Tensor
    operation: str
    name: str
    lineage: tuple = ()


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the copy.

    Args:
        tensor: itself.
        data: whether it depends on the pixels of the images, not on their number or size alone.
        gradient: whether it has a gradient with respect to them.
        entries: where it has none, the `Entry`s that it was made of.
        mask: whether it holds zeros and ones that comparisons made.
        plain: the tensor without a gradient, where `tensor` was given one.
        lineage: tensors with a gradient that it was made of, the latest of each of a few shapes.
    """

    tensor: tf.Tensor
    data: bool = False
    gradient: bool = False
    entries: tuple = ()
    mask: bool = False
    plain: Any = None
    lineage: tuple = ()


def free(tensor: tf.Tensor) -> Value:
    """A `Value` that the images do not reach."""
    return Value(tensor)

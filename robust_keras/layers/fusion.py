"""A hint that lets TensorFlow compile a run of operations into one loop."""

import contextlib
from collections.abc import Callable, Iterator

import tensorflow as tf


@contextlib.contextmanager
def fused() -> Iterator[None]:
    """Marks the operations inside as one cluster for XLA, which then keeps no temporaries.

    Only a hint: a runtime without XLA, or one that has seen too many shapes, runs the same
    operations one by one, so nothing that is exported needs XLA. Outside a graph it does nothing.
    """
    if tf.executing_eagerly():
        yield
    else:
        with tf.xla.experimental.jit_scope():
            yield


def in_graph(function: Callable) -> Callable:
    """Returns the function, run as a graph also in eager mode so that `fused` takes effect.

    Inside a graph the operations are added to that graph, without a nested function.
    """
    graphs = {}

    def call(*arguments):
        if not tf.executing_eagerly():
            return function(*arguments)
        # One graph for any number of rows, but one for each number of channels: tables are laid
        # out by channels, which a graph for all of them would no longer know.
        tensors = [value for value in tf.nest.flatten(arguments) if tf.is_tensor(value)]
        channels = tuple(tensor.shape[-1] for tensor in tensors if tensor.shape.rank)
        if channels not in graphs:
            graphs[channels] = tf.function(function, reduce_retracing=True, autograph=False)
        return graphs[channels](*arguments)

    return call


def unrecorded() -> contextlib.AbstractContextManager:
    """Keeps eager tapes from recording what a custom gradient covers.

    Recording a compiled function would make it return all that its own gradient needs.
    """
    return tf.init_scope() if tf.executing_eagerly() else contextlib.nullcontext()

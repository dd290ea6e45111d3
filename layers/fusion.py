"""A hint that lets TensorFlow compile a run of operations into one loop."""

import contextlib

import tensorflow as tf


@contextlib.contextmanager
def fused():
    """Marks the operations inside as one cluster for XLA, which then keeps no temporaries.

    Only a hint: a runtime without XLA, or one that has seen too many shapes, runs the same
    operations one by one, so nothing that is exported needs XLA. Outside a graph it does nothing.
    """
    if tf.executing_eagerly():
        yield
    else:
        with tf.xla.experimental.jit_scope():
            yield


def in_graph(function):
    """Returns the function, run as a graph also in eager mode so that `fused` takes effect.

    Inside a graph the operations are added to that graph, without a nested function.
    """
    graph = tf.function(function, reduce_retracing=True)

    def call(*arguments):
        return (graph if tf.executing_eagerly() else function)(*arguments)

    return call


def unrecorded():
    """Keeps eager tapes from recording what a custom gradient covers.

    Recording a compiled function would make it return all that its own gradient needs.
    """
    return tf.init_scope() if tf.executing_eagerly() else contextlib.nullcontext()

"""The values of every activation of a model, and its slopes where they were met."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from robust_keras.bounds.network import steps
from robust_keras.errors import InputError
from robust_keras.inside.graph import seen
from robust_keras.inside.steepest import steepest
from robust_keras.inside.subject import Subject


class Values(NamedTuple):
    """What one activation gave for a batch.

    `outputs` is an array (images, ...), `slopes` another one, or None where they are not known.
    """

    name: str
    kind: str
    outputs: np.ndarray
    slopes: np.ndarray | None


def watch(subject: Subject) -> Callable[[np.ndarray], Iterator[Values]] | None:
    """A function from a batch of images to the `Values` of each activation, in their order.

    Args:
        subject: whose model is watched: layer by layer where its Keras model is known, else by the
            activations that its graph tells.

    Returns:
        The function, or None where there is nothing to watch.
    """
    if subject.model is not None:
        # Of layers whose order is code the graph still tells some.
        with contextlib.suppress(InputError):
            return _of_layers(subject.model)
    graph = seen(subject.classifier)
    if not graph.activations:
        return None

    def values(images):
        outputs = graph.values(tf.constant(images))
        for (name, kind), output in zip(graph.activations, outputs, strict=True):
            yield Values(name, kind, output.numpy(), None)

    return values


def _of_layers(model: keras.Model) -> Callable[[np.ndarray], Iterator[Values]]:
    found = steps(model)
    watched = [_split(step) for step in found]
    names = [
        (step.layer.name, parts[-1]) for step, parts in zip(found, watched, strict=True) if parts
    ]

    # As one graph: layers that make graphs of their own would make one for every layer and shape.
    @tf.function(input_signature=[tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32)])
    def walk(images):
        known, told = [images], []
        for step, parts in zip(found, watched, strict=True):
            given = [known[source] for source in step.sources]
            given = given if len(given) > 1 else given[0]
            if parts is None:
                known.append(step.layer(given))
                continue
            before, function, _ = parts
            inputs = tf.convert_to_tensor(before(given) if before else given)
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                outputs = function(inputs)
            known.append(outputs)
            told.append((outputs, tape.gradient(outputs, inputs)))
        return told

    def values(images):
        for (name, kind), (outputs, slopes) in zip(names, walk(images), strict=True):
            yield Values(name, kind, outputs.numpy(), None if slopes is None else slopes.numpy())

    return values


def _split(step) -> Any:
    """(the layer before the activation or None, that, its kind) of a step; None without one."""
    layer, function = step.layer, getattr(step.layer, "activation", None)
    names = ("linear", "softmax")
    if step.last or getattr(function, "__name__", "") in names or steepest(layer) is None:
        return None
    if isinstance(layer, keras.layers.Softmax):
        return None
    if function is None or isinstance(layer, keras.layers.Activation):
        kind = getattr(function, "__name__", type(layer).__name__)
        return None, layer, kind
    return _linear_part(layer), function, function.__name__


def _linear_part(layer):
    """The layer without its activation, with the same weights."""
    copy = type(layer).from_config(layer.get_config() | {"activation": "linear"})
    copy.build(layer.input.shape)
    copy.set_weights(layer.get_weights())
    return copy

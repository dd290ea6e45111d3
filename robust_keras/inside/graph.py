"""What a graph tells of a model whose layers are not known: its kernels and activations."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.inside.convolution import Convolution
from robust_keras.serving.classifier import Classifier
from robust_keras.serving.surgery.surgeon import Surgeon, copied
from robust_keras.serving.surgery.values import NotCopied
from robust_keras.serving.views.masking import place

_MATRICES = ("MatMul", "BatchMatMulV2", "BatchMatMul")
_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
ACTIVATIONS = (
    *("Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Sigmoid", "Tanh", "Softplus", "Softsign"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Kernel:
    """A matrix or kernel that a graph multiplies images with.

    Args:
        name: of the layer, by the names of the operations.
        kind: type of the operation.
        weights: float64 array (inputs, outputs) or (height, width, channels in, channels out).
        operators: of a convolution, the `Convolution`s that share no channels; else none.
    """

    name: str
    kind: str
    weights: np.ndarray
    operators: tuple[Convolution, ...] = ()


@dataclasses.dataclass(frozen=True, eq=False)
class Seen:
    """What was seen in a graph.

    Args:
        kernels: `Kernel`s, in their order.
        activations: names and types of activations, in their order.
        values: function from float32 images (batch, height, width, channels) to the activations'
            outputs.
    """

    kernels: tuple[Kernel, ...] = ()
    activations: tuple[tuple[str, str], ...] = ()
    values: Any = None


def seen(classifier: Classifier) -> Seen:
    """The kernels and activations of a classifier's graph; none where it cannot be followed."""
    logits: Any = classifier.logits
    concrete, readers = logits.get_concrete_function(), []

    def traced(images):
        readers.append(_Reader())
        copied(concrete, images, readers[-1])
        return [tensor for _, tensor in readers[-1].kernels], [
            tensor for _, tensor in readers[-1].activations
        ]

    spec = tf.TensorSpec((None, *classifier.image_shape), tf.float32)
    try:
        function = tf.function(traced, autograph=False).get_concrete_function(spec)
    except NotCopied:
        return Seen()
    weights, _ = function(tf.constant(classifier.probes[:1]))
    reader = readers[-1]
    names = _apart([place(operation.name) for operation, _ in reader.activations])
    kernels = [
        _kernel(operation, array.numpy())
        for (operation, _), array in zip(reader.kernels, weights, strict=True)
    ]
    titles = _apart([kernel.name for kernel in kernels])
    return Seen(
        tuple(dataclasses.replace(k, name=n) for k, n in zip(kernels, titles, strict=True)),
        tuple(zip(names, (met.kind for met, _ in reader.activations), strict=True)),
        lambda images: function(images)[1],
    )


@dataclasses.dataclass(frozen=True)
class _Operation:
    """An operation as it was met: its name with the calls that lead to it, and its attributes."""

    name: str
    kind: str
    size: tuple
    attributes: Any


class _Reader(Surgeon):
    """Emits every operation as it is, and notes kernels and activations."""

    compiled = False

    def __init__(self):
        # What stands within a loop or branch cannot be had from without.
        self._graph = tf.compat.v1.get_default_graph()
        self.kernels, self.activations = [], []

    def __call__(self, frame, operation, inputs):
        outputs = super().__call__(frame, operation, inputs)
        if tf.compat.v1.get_default_graph() is not self._graph:
            return outputs
        name = "/".join((*frame.path, operation.name))
        if operation.type in _MATRICES + _CONVOLUTIONS and len(inputs) == 2:
            image, kernel = inputs
            if image.data and not kernel.data and kernel.tensor.dtype.is_floating:
                met = self._met(name, operation, image.tensor)
                self.kernels.append((met, tf.cast(kernel.tensor, tf.float64)))
        if operation.type in ACTIVATIONS and inputs[0].data:
            met = self._met(name, operation, inputs[0].tensor)
            self.activations.append((met, tf.cast(outputs[0].tensor, tf.float32)))
        return outputs

    @staticmethod
    def _met(name, operation, tensor):
        size = tuple(tensor.shape) if tensor.shape.rank else ()
        return _Operation(name, operation.type, size, dict(operation.node_def.attr))


def _kernel(operation, weights):
    name = place(operation.name)
    if operation.kind in _MATRICES:
        turned = (operation.attributes.get(key) for key in ("transpose_b", "adj_y"))
        if any(attribute.b for attribute in turned if attribute):
            weights = np.swapaxes(weights, -1, -2)
        return Kernel(name, operation.kind, weights)
    operators = _operators(operation, weights)
    return Kernel(name, operation.kind, weights, operators)


def _operators(operation, weights):
    """The convolution as operators of a known image size; none where it is not known."""
    attributes = operation.attributes
    across = attributes["data_format"].s == b"NCHW"
    sides = slice(2, 4) if across else slice(1, 3)
    size = operation.size[sides]
    if len(size) != 2 or None in size:
        return ()
    padding: Any = attributes["padding"].s.decode()
    if padding == "EXPLICIT":
        pads = np.reshape(attributes["explicit_paddings"].list.i, (4, 2))[sides]
        padding = tuple(map(tuple, pads))
    groups = weights.shape[2] if operation.kind == "DepthwiseConv2dNative" else 1
    if groups > 1:
        weights = weights.reshape(*weights.shape[:2], 1, -1)
    elif operation.kind == "Conv2D":
        groups = operation.size[1 if across else 3] // weights.shape[2]
    strides, dilations = (
        tuple(attributes[key].list.i)[sides] or (1, 1) for key in ("strides", "dilations")
    )
    parts = np.split(weights, groups, axis=3)
    return tuple(Convolution(part, size, strides, padding, dilations) for part in parts)


def _apart(names):
    """The names, numbered from the second of a name on."""
    met: dict[str, int] = {}
    for name in names:
        met[name] = met.get(name, 0) + 1
        yield name if met[name] == 1 else f"{name} #{met[name]}"

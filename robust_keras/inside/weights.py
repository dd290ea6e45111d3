"""Every layer's weights, rank and norms, of a Keras model or of a stranger's graph."""

import math
from typing import Any

import keras
import numpy as np

from robust_keras.findings import LayerReport
from robust_keras.inside.gains import channel_scale, convolutions
from robust_keras.inside.graph import Kernel, Seen, seen
from robust_keras.inside.kernel_facts import kernel_facts
from robust_keras.inside.steepest import steepest
from robust_keras.inside.subject import Subject
from robust_keras.layers import keras_private
from robust_keras.serving.classifier import keras_model


def layers(subject: Subject) -> list[LayerReport]:
    """What is known of each layer that has weights, or an activation.

    Of a SavedModel without its Keras model: the matrices and kernels that its graph multiplies
    images with.
    """
    model = subject.model or keras_model(subject.classifier)
    if model is None:
        graph: Seen = seen(subject.classifier)
        return [_of_graph(kernel) for kernel in graph.kernels]
    single = (part for part in keras_private.all_layers(model) if not isinstance(part, keras.Model))
    found = [_of_keras(layer) for layer in single]
    return [layer for layer in found if layer.parameters or layer.largest_slope is not None]


def _of_keras(layer: keras.layers.Layer) -> LayerReport:
    kernels = [
        np.asarray(weight)
        for weight in layer.weights
        if len(weight.shape) >= 2 and weight.path.endswith("kernel")
    ]
    slope = None
    if getattr(layer, "activation", None) is not keras.activations.linear:
        slope = steepest(layer)
    return LayerReport(
        name=layer.name,
        kind=type(layer).__name__,
        parameters=sum(math.prod(weight.shape) for weight in layer.weights),
        largest_slope=_finite(slope),
        spectral_norm=_finite(_operator_norm(layer)),
        **(kernel_facts(kernels) if kernels else {}),
    )


def _operator_norm(layer):
    """The norm of a layer's linear part; None where it has none, or none is known."""
    if type(layer) is keras.layers.Dense:
        return float(np.linalg.norm(np.asarray(layer.kernel, np.float64), 2))
    if parts := convolutions(layer):
        return max(part.norm() for part in parts)
    scale = channel_scale(layer)
    return None if scale is None else float(np.abs(scale).max())


def _of_graph(kernel: Kernel) -> LayerReport:
    norm: Any = max(part.norm() for part in kernel.operators) if kernel.operators else None
    if kernel.weights.ndim == 2:
        norm = float(np.linalg.norm(kernel.weights, 2))
    return LayerReport(
        name=kernel.name,
        kind=kernel.kind,
        parameters=kernel.weights.size,
        spectral_norm=_finite(norm),
        **kernel_facts([kernel.weights]),
    )


def _finite(value):
    return value if value is not None and math.isfinite(value) else None

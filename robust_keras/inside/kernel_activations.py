"""The curves of learnt kernel activations, and where their inputs fall."""

import numpy as np
import tensorflow as tf

from robust_keras.findings import KernelCurvesReport
from robust_keras.inside.layer_values import outer_layers, values
from robust_keras.inside.subject import Subject
from robust_keras.layers import KernelActivation

_MOST_LAYERS, _MOST_CHANNELS, _MOST_IMAGES = 4, 6, 100
_POINTS = 61
# Beyond its dictionary a Gaussian curve falls to zero within about so many of its boundaries.
_REACH = 1.3


def kernel_activations(subject: Subject) -> list[KernelCurvesReport]:
    """The kernel activations of some layers, from the first to the last; not those of pairs."""
    layers = [one for one in outer_layers(subject, KernelActivation) if not one.paired]
    places = np.unique(np.linspace(0, len(layers) - 1, _MOST_LAYERS).round().astype(int))
    return [_curves(subject, layers[place]) for place in places] if layers else []


def _curves(subject, layer):
    mixing, dictionary, _ = (np.asarray(part) for part in layer.parameters())
    points = np.linspace(-_REACH, _REACH, _POINTS) * layer.boundary
    channels = np.unique(np.linspace(0, len(mixing) - 1, _MOST_CHANNELS).round().astype(int))
    grid = np.tile(points[:, None], (1, len(mixing))).astype(np.float32)
    curves = np.asarray(tf.function(layer)(grid), np.float64).T[channels]
    inputs = values(subject, layer.input, subject.images[:_MOST_IMAGES])
    outside = (inputs < dictionary.min(axis=1)) | (inputs > dictionary.max(axis=1))
    return KernelCurvesReport(
        layer=layer.name,
        boundary=layer.boundary,
        points=tuple(points.round(4)),
        channels=tuple(channels),
        curves=tuple(tuple(curve) for curve in np.nan_to_num(curves).round(4)),
        inputs=tuple(np.histogram(inputs, points)[0]),
        outside=float(outside.mean()),
    )

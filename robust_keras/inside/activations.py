"""How the values inside a network move under attack, and when it is shown nonsense."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import scipy.stats

from robust_keras.findings import ActivationReport, ActivationValues
from robust_keras.findings.activations import FLAT
from robust_keras.inside.activation_values import watch
from robust_keras.inside.subject import Subject

BINS = 40
# Images of each sort, and values of a layer that are kept of an image.
IMAGES, KEPT = 256, 1000
_ENDS = (0.005, 0.995)
# Of a batch: all values of a network are held at once.
_PIXELS = 2**19


def activations(subject: Subject) -> list[ActivationReport] | None:
    """What each activation gives without attack, under attack, and for nonsense.

    Returns:
        A list in the order of the layers; None where no activation is known.
    """
    values = watch(subject)
    if values is None:
        return None
    numbers = sorted(subject.fooling)[:IMAGES] or range(min(IMAGES, len(subject.images)))
    sorts = [subject.images[list(numbers)], subject.nonsense[:IMAGES]]
    if subject.fooling:
        sorts.append(np.stack([subject.fooling[number] for number in numbers]))
    pixels = subject.images.shape[1] * subject.images.shape[2]
    size = max(min(subject.batch_size, IMAGES, _PIXELS // pixels), 1)
    found = [_collected(values, images, size, subject.seed) for images in sorts]
    return [_report(*each, images=len(sorts[0])) for each in zip(*found, strict=True)] or None


class _Layer:
    """Values of one activation, some of each image."""

    def __init__(self, name, kind, draw):
        self.name, self.kind, self._draw = name, kind, draw
        self._outputs, self._slopes, self._places = [], [], {}

    def add(self, outputs, slopes):
        """Takes in a batch."""
        self._outputs.append(self._some(outputs))
        if slopes is not None:
            self._slopes.append(np.abs(self._some(slopes)))

    def _some(self, values):
        flat = values.reshape(len(values), -1)
        width = flat.shape[1]
        if width not in self._places:
            self._places[width] = self._draw.permutation(width)[:KEPT]
        return flat[:, self._places[width]]

    @property
    def outputs(self):
        values = np.concatenate(self._outputs).ravel()
        return values[np.isfinite(values)]

    @property
    def slopes(self):
        return np.concatenate(self._slopes).ravel() if self._slopes else None


def _collected(values: Callable[[Any], Iterable], images, size, seed):
    """One `_Layer` an activation; the same places of each image, whatever the images."""
    layers: list[_Layer] = []
    for first in range(0, len(images), size):
        for number, each in enumerate(values(images[first : first + size])):
            if number == len(layers):
                draw = np.random.default_rng([seed, 0xAC, number])
                layers.append(_Layer(each.name, each.kind, draw))
            layers[number].add(each.outputs, each.slopes)
    return layers


def _report(clean, nonsense, attacked=None, *, images):
    sorts = [layer for layer in (clean, nonsense, attacked) if layer is not None]
    everything = np.concatenate([layer.outputs for layer in sorts])
    low, high = np.quantile(everything, _ENDS) if len(everything) else (0.0, 0.0)
    steepest = None if clean.slopes is None else float(np.max(clean.slopes, initial=0.0))
    ends = float(low), float(high)
    told = [None if s is None else _told(s, ends, steepest) for s in (clean, nonsense, attacked)]
    return ActivationReport(
        layer=clean.name,
        kind=clean.kind,
        low=ends[0],
        high=ends[1],
        images=images,
        clean=told[0],
        nonsense=told[1],
        attacked=told[2],
        distance=None if attacked is None else _distance(clean, attacked),
        nonsense_distance=_distance(clean, nonsense),
    )


def _told(layer, ends, steepest):
    outputs, slopes = layer.outputs, layer.slopes
    span = ends if ends[0] < ends[1] else (ends[0] - 0.5, ends[0] + 0.5)
    return ActivationValues(
        zeros=float(np.mean(outputs == 0.0)) if len(outputs) else 0.0,
        saturated=None if slopes is None else float(np.mean(slopes <= FLAT * steepest)),
        mean=float(outputs.mean()) if len(outputs) else 0.0,
        deviation=float(outputs.std()) if len(outputs) else 0.0,
        histogram=tuple(np.histogram(np.clip(outputs, *span), BINS, span)[0]),
    )


def _distance(one, other):
    if not (len(one.outputs) and len(other.outputs)):
        return 0.0
    return float(scipy.stats.ks_2samp(one.outputs, other.outputs, method="asymp").statistic)

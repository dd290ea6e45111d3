"""Feature histograms of the second convolution, nonsense laid over them.

Zhao and Griffin, 2016, arXiv 1603.05145: what the usual images do not look like is what a ReLU is
driven by, and a symmetric unit is not.
"""

import itertools

import keras
import numpy as np

from robust_keras.findings import FeaturePairReport, FeatureReport, FeaturesReport
from robust_keras.inside.layer_values import outer_layers, values
from robust_keras.inside.subject import Subject

_MOST_IMAGES = 200
_BINS, _PAIR_BINS = 31, 20
_SINGLE, _PAIRED = 6, 3


def features(subject: Subject) -> FeaturesReport | None:
    """Histograms of the channels one by one and in pairs, at all places of the image.

    Returns:
        A `FeaturesReport`, or None without a Keras model or a second convolution.
    """
    layers = outer_layers(subject, keras.layers.Conv2D)
    if len(layers) < 2:
        return None
    shown = [subject.images[:_MOST_IMAGES], subject.nonsense[:_MOST_IMAGES]]
    both = [_rows(values(subject, layers[1].output, images)) for images in shown]
    if not all(np.isfinite(rows).all() for rows in both):
        return None
    everything = np.concatenate(both)
    low, high = (np.percentile(everything, at, axis=0) for at in (0.1, 99.9))
    high = np.maximum(high, low + 1e-6)
    single = [_single(c, low[c], high[c], *both) for c in range(len(low))]
    first = range(min(len(low), _PAIRED))
    return FeaturesReport(
        layer=layers[1].name,
        images=len(shown[0]),
        single=tuple(single[:_SINGLE]),
        pairs=tuple(_pair(p, low, high, *both) for p in itertools.combinations(first, 2)),
        overlap=float(np.mean([each.overlap for each in single])),
    )


def _rows(values):
    return values.reshape(-1, values.shape[-1]).astype(np.float64)


def _single(channel, low, high, *both):
    counts = [
        np.histogram(np.clip(rows[:, channel], low, high), _BINS, (low, high))[0] for rows in both
    ]
    return FeatureReport(
        channel=channel,
        low=float(low),
        high=float(high),
        images=tuple(counts[0]),
        nonsense=tuple(counts[1]),
        overlap=_overlap(*counts),
    )


def _pair(channels, low, high, *both):
    pair = list(channels)
    limits = list(zip(low[pair], high[pair], strict=True))
    counts = [
        np.histogram2d(*np.clip(rows[:, pair], low[pair], high[pair]).T, _PAIR_BINS, limits)[0]
        for rows in both
    ]
    images, nonsense = (tuple(map(tuple, each.astype(int))) for each in counts)
    return FeaturePairReport(
        channels=channels,
        low=tuple(low[pair]),
        high=tuple(high[pair]),
        images=images,
        nonsense=nonsense,
        overlap=_overlap(*counts),
    )


def _overlap(first, second):
    """How much of two histograms of shares is the same."""
    return float(min(1.0, np.minimum(first / first.sum(), second / second.sum()).sum()))

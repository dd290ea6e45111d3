"""Intervals over seeds and images together."""

import math
from typing import NamedTuple

import numpy as np
import scipy.stats

LEVEL = 0.95
_ADDED = 4


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray) -> Interval:
    """A mean over seeds and images, and how far it can be trusted.

    The seeds are a sample of all trainings, the images one of all images, and both vary by
    themselves: their variances are added, and the quantile is that of Student's t with the degrees
    of freedom of Satterthwaite (1946). Four images are added, two that raise the mean and two that
    lower it (Agresti and Coull, 1998), so that a hundred equal images are no certainty: it then
    covers a share 94.6 times in a hundred or more, whatever the share and however many images.

    Args:
        values: float array (seeds, images), each in [-1, 1] where images have a say, the images the
            same for all seeds; one image for values that have none.
    """
    seeds, images = values.shape
    mean = float(values.mean())
    parts = []
    if seeds > 1:
        parts.append((float(values.mean(1).var(ddof=1)) / seeds, seeds - 1))
    if images > 1:
        spread = float(((values.mean(0) - mean) ** 2).sum())
        parts.append(((spread + _ADDED) / (images + _ADDED) ** 2, images - 1))
    variance = sum(part for part, _ in parts)
    if not variance:
        return Interval(mean, mean, mean)
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in parts)
    half = float(scipy.stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(variance)
    # Shares of images, and their differences, are in [-1, 1].
    widest = 1.0 if images > 1 else math.inf
    return Interval(mean, max(mean - half, -widest), min(mean + half, widest))

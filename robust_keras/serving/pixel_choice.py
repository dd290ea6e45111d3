"""Finds out which pixels a stranger's model takes, by its answers to clean images."""

import dataclasses
import math
from typing import Any

import numpy as np

from robust_keras.serving.views.pixels import MEANINGS

# The chance that a model of 0..1 is taken for another kind by luck, over all that is tried.
_SIGNIFICANCE = 1e-3
# A smaller gain in clean accuracy is no reason to change what a model is shown.
_LEAST_GAIN = 0.05
# From here on a gain that is not certain is worth a word.
_WORTH_A_WORD = 0.1


@dataclasses.dataclass(frozen=True)
class PixelChoice:
    """The pixels that a model is shown, and why.

    Args:
        pixels: name in `PIXELS`.
        note: None, or a sentence.
    """

    pixels: str
    note: str | None = None


def choose_pixels(names: Any, correct: Any) -> PixelChoice:
    """The pixels among several that a model evidently takes.

    The first stays unless another is clearly better on the same images: by at least five
    points of accuracy, and by more than luck. Where the two give different images right, each of
    these is a fair coin if neither is better (McNemar's exact test, one-sided); the chance of as
    many for the other must be below 0.001, divided by the number of others.

    Args:
        names: names in `PIXELS`, the first the one that is taken in doubt.
        correct: function from a name to a bool array (images,), which answers are right.
    """
    usual, *others = names
    first = correct(usual)
    if not others or np.mean(~first) < _LEAST_GAIN:
        return PixelChoice(usual)
    found = {name: correct(name) for name in others}
    best = max(others, key=lambda name: found[name].mean())
    before, after = float(first.mean()), float(found[best].mean())
    chance = _by_luck(first, found[best])
    figures = f"{after:.1%} of {len(first)} clean images right, {before:.1%} with {usual}"
    if after - before >= _LEAST_GAIN and chance < _SIGNIFICANCE / len(others):
        note = f"It takes {MEANINGS[best]}: {figures}. Images and epsilons stay in 0..1."
        return PixelChoice(best, note)
    if after - before >= _WORTH_A_WORD:
        advice = f"If the model takes such pixels, say --model_pixels={best}."
        note = f"It may take {MEANINGS[best]}: {figures}, too few to be sure. {advice}"
        return PixelChoice(usual, note)
    return PixelChoice(usual)


def _by_luck(first, other):
    """The chance of as many images that only the other gets right, were neither better."""
    wins, losses = int((other & ~first).sum()), int((first & ~other).sum())
    ways = sum(math.comb(wins + losses, k) for k in range(wins, wins + losses + 1))
    return ways / 2 ** (wins + losses)

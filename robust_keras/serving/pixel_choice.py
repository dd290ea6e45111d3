"""Finds out which pixels a stranger's model takes, by its answers to clean images."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.serving.views.pixels import LARGE, MEANINGS

# The chance that a model of 0..1 is taken for another kind by luck, over all that is tried.
_SIGNIFICANCE = 1e-3
# A smaller gain in clean accuracy is no reason to change what a model is shown.
_LEAST_GAIN = 0.05
# From here on a gain that is not certain is worth a word.
_WORTH_A_WORD = 0.1
# The chance from which on pixels without a name are better than the best that have one.
_DOUBT = 0.01


@dataclasses.dataclass(frozen=True)
class PixelChoice:
    """The pixels that a model is shown, and why.

    Args:
        pixels: name in `PIXELS`.
        note: None, or a sentence.
    """

    pixels: str
    note: str | None = None


def choose_pixels(names: Any, correct: Any, nameless: Sequence[str] = ()) -> PixelChoice:
    """The pixels among several that a model evidently takes.

    The first stays unless another is clearly better on the same images: by at least five
    points of accuracy, and by more than luck. Where the two give different images right, each of
    these is a fair coin if neither is better (McNemar's exact test, one-sided); the chance of as
    many for the other must be below 0.001, divided by the number of others.

    It also stays where pixels that have no name here fit the model better: then nothing that it can
    be shown is what it was trained on, and small numbers would be attacked as if they were others.

    Args:
        names: names in `PIXELS`, the first the one that is taken in doubt.
        correct: function from a name to a bool array (images,), which answers are right.
        nameless: further names that `correct` knows, of pixels that cannot be shown.
    """
    usual, *others = names
    first = correct(usual)
    if not others or np.mean(~first) < _LEAST_GAIN:
        return PixelChoice(usual)
    found = {name: correct(name) for name in others}
    best = _best(found)
    before, after = float(first.mean()), float(found[best].mean())
    chance = _by_luck(first, found[best])
    certain = after - before >= _LEAST_GAIN and chance < _SIGNIFICANCE / len(others)
    if not certain and after - before < _WORTH_A_WORD:
        return PixelChoice(usual)
    known = {name: correct(name) for name in nameless}
    if any(_fits(best, found[best], name, other) for name, other in known.items()):
        name = _best(known)
        figures = f"{after:.1%} with {best}, {before:.1%} of {len(first)} images with {usual}"
        return PixelChoice(usual, _nameless_note(name, known[name], best, figures))
    figures = f"{after:.1%} of {len(first)} clean images right, {before:.1%} with {usual}"
    if certain:
        note = f"It takes {MEANINGS[best]}: {figures}. Images and epsilons stay in 0..1."
        return PixelChoice(best, note)
    advice = f"If the model takes such pixels, say --model_pixels={best}."
    note = f"It may take {MEANINGS[best]}: {figures}, too few to be sure. {advice}"
    return PixelChoice(usual, note)


def _best(found):
    """The name with most right answers; large pixels only where small ones fall clearly behind."""
    by_share = sorted(found, key=lambda name: -found[name].mean())
    least = found[by_share[0]].mean() - _LEAST_GAIN
    small = [name for name in by_share if name not in LARGE and found[name].mean() > least]
    return (small or by_share)[0]


def _nameless_note(name, right, best, figures):
    return (
        f"It seems to take other pixels than 0..1, but which: {right.mean():.1%} right with "
        f"{name}, {figures}. If it was trained on the second of these, say --model_pixels={best}; "
        "else put what makes its pixels of those in 0..1, with the numbers of its training, in "
        "front of the model (keras.layers.Normalization or Rescaling)."
    )


def _fits(best, found, name, other):
    """Whether pixels without a name fit better than the best that have one.

    Of unlike size, small ones are preferred in any case: to a model of these, large ones are black
    and white. Of like size small ones need one image more, others more than luck.
    """
    gain = other.mean() - found.mean()
    if name in LARGE:
        return bool(gain > 0 and _by_luck(found, other) < _DOUBT)
    return bool(gain > (-_LEAST_GAIN if best in LARGE else 0))


def _by_luck(first, other):
    """The chance of as many images that only the other gets right, were neither better."""
    wins, losses = int((other & ~first).sum()), int((first & ~other).sum())
    ways = sum(math.comb(wins + losses, k) for k in range(wins, wins + losses + 1))
    return ways / 2 ** (wins + losses)

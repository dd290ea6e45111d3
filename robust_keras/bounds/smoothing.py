"""Randomised smoothing: a model's most frequent class under Gaussian noise, with proof."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import scipy.stats


@dataclasses.dataclass(frozen=True)
class Smoothed:
    """What the smoothed classifier answers, and how far its answer is proved to hold.

    Args:
        answers: int array (images,), the class; -1 where it abstains.
        radii: float array (images,), l2 distances within which the answer cannot change; 0 where it
            abstains.
    """

    answers: np.ndarray
    radii: np.ndarray

    def accuracy(self, labels: np.ndarray, radii: np.ndarray) -> np.ndarray:
        """Share of the images that are proved to keep their label within each radius.

        Args:
            labels: int array (images,).
            radii: float array, l2.
        """
        own = np.where(self.answers == labels, self.radii, -1.0)
        return np.mean(own[np.newaxis] >= np.asarray(radii)[:, np.newaxis], axis=1)


def smooth(
    predict: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    *,
    sigma: float,
    samples: int = 1000,
    selection: int = 100,
    alpha: float = 0.001,
    batch_size: int = 250,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
) -> Smoothed:
    """Certifies images by their answers under noise.

    The proof is about another classifier than the model itself: the one that answers with the class
    that the model gives most often to `x + sigma n`, n standard normal. Each image's proof is wrong
    with a probability of at most alpha, by the draw of the noise. Pixels with noise are not cut off
    at 0 and 1: the proof needs the noise as it is.

    Formula: the class c is chosen by `selection` draws; p is the lower end of the exact binomial
    (Clopper-Pearson) interval of its share of `samples` further draws at level `1 - alpha`; the
    radius is `sigma Phi^-1(p)` where p > 1/2, else it abstains.

    Args:
        predict: function from float32 images (batch, height, width, channels) to int classes
            (batch,).
        images: float array (images, height, width, channels) in [0, 1].
        sigma: standard deviation of the noise, in units of pixels, > 0.
        samples: draws that prove, >= 1.
        selection: draws that choose the class, >= 1.
        alpha: probability of a wrong proof, in (0, 1).
        batch_size: draws a pass.
        seed: whole number >= 0.
        numbers: which begin each image's noise besides the seed; by default its place.

    Raises:
        ValueError: a setting is out of range.

    Reference: Cohen, Rosenfeld and Kolter, "Certified Adversarial Robustness via Randomized
    Smoothing", 2019, arXiv 1902.02918.
    """
    _check(sigma, samples, selection, alpha)
    answers, radii = np.full(len(images), -1), np.zeros(len(images))
    numbers = range(len(images)) if numbers is None else numbers
    for index, (number, image) in enumerate(zip(numbers, images, strict=True)):
        draw = np.random.default_rng([seed, int(number)])
        chosen = _classes(predict, image, sigma, selection, batch_size, draw)
        answer = int(np.bincount(chosen).argmax())
        proving = _classes(predict, image, sigma, samples, batch_size, draw)
        share = _at_least(int((proving == answer).sum()), samples, alpha)
        if share > 0.5:
            answers[index], radii[index] = answer, sigma * scipy.stats.norm.ppf(share)
    return Smoothed(answers, radii)


def farthest(sigma: float, samples: int, alpha: float) -> float:
    """The radius of an image whose every draw gives one class: none can be larger."""
    return sigma * float(scipy.stats.norm.ppf(_at_least(samples, samples, alpha)))


def _at_least(successes, trials, alpha):
    """The lower end of the exact binomial interval."""
    test = scipy.stats.binomtest(successes, trials, alternative="greater")
    return float(test.proportion_ci(1.0 - alpha, method="exact").low)


def _classes(predict, image, sigma, draws, batch_size, generator):
    """The model's answers to the image under `draws` draws of the noise."""
    found = []
    for first in range(0, draws, batch_size):
        size = min(batch_size, draws - first)
        noise = generator.standard_normal((size, *image.shape), np.float32)
        # One shape of batch, as another is traced anew.
        rows = np.resize(image + np.float32(sigma) * noise, (batch_size, *image.shape))
        found.append(np.asarray(predict(rows))[:size])
    return np.concatenate(found)


def _check(sigma, samples, selection, alpha):
    if not (sigma > 0.0 and math.isfinite(sigma)):
        raise ValueError(f"`sigma` must be a number above 0. Received: sigma={sigma}")
    for name, value in (("samples", samples), ("selection", selection)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be a whole number of at least 1. Received: {value!r}")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"`alpha` must be in (0, 1). Received: alpha={alpha}")

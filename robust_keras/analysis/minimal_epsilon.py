"""The smallest change of each image that was found to change its class."""

import dataclasses
import time

import numpy as np

from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.batches import padded_places
from robust_keras.attacks.engine import generators
from robust_keras.attacks.prediction import check_examples, correct, padded, predict
from robust_keras.errors import InputError

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_FINEST = 1e-6


@dataclasses.dataclass(frozen=True)
class MinimalEpsilons:
    """The smallest epsilon found for each image; an upper bound, as everything an attack finds.

    Args:
        attack: the `Attack` that searched.
        norm: "linf" or "l2".
        largest: radius up to which was searched.
        tolerance: how far the epsilon found is above one at which the attack failed, at most.
        labels: int array (images,).
        epsilons: float64 array (images,): 0 where the image is misclassified as it is, infinity
            where no example was found, else the distance of the example.
        examples: float32 array (images, height, width, channels): the misclassified images found;
            the image itself where there is none.
        gradient_evaluations: forward and backward passes, summed over images.
        forward_evaluations: forward passes alone, summed over images.
        seconds: wall time.
    """

    attack: Attack
    norm: str
    largest: float
    tolerance: float
    labels: np.ndarray
    epsilons: np.ndarray
    examples: np.ndarray
    gradient_evaluations: int
    forward_evaluations: int
    seconds: float

    @property
    def found(self):
        """Share of the images for which an epsilon was found, those misclassified included."""
        return float(np.isfinite(self.epsilons).mean())

    def quantiles(self, label=None):
        """The epsilons below which 5, 25, 50, 75 and 95 % of the images have fallen.

        Each is that of one of the images; infinity where so many did not fall up to `largest`.

        Args:
            label: a class, or None for all images.

        Returns:
            Five floats.
        """
        chosen = self.epsilons if label is None else self.epsilons[self.labels == label]
        return tuple(np.quantile(chosen, QUANTILES, method="inverted_cdf").tolist())


def minimal_epsilons(
    classifier, images, labels, attack, *, norm, largest, tolerance, batch_size, seed, progress=None
):
    """Searches for the smallest epsilon that changes each image's class, by bisection.

    Formula: the attack is tried at `largest`. What it finds is drawn towards the image, by forward
    passes alone, to the smallest ball around the image into which its projection still fools the
    model. Then the attack is tried again between that radius and the largest one at which it
    failed, until they are `tolerance` apart. An attack whose proposals do not depend on epsilon
    (`any_epsilon`) is made once, and its changes are drawn in.

    Every epsilon is backed by an example, projected and predicted anew. It is an upper bound: a
    better attack may find less. The radii tried are few, whatever the images, and each image's
    depend on nothing but itself.

    Args:
        classifier: see `attacks.engine.evaluate`.
        images: float array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        attack: `Attack`; a cascade's stages are tried in turn.
        norm: "linf" or "l2".
        largest: radius, > 0; in linf at most 1.
        tolerance: from a millionth of `largest` to all of it.
        batch_size: images a pass, at most.
        seed: whole number >= 0.
        progress: as in `attacks.engine.evaluate`; told after every batch.

    Returns:
        `MinimalEpsilons`.

    Raises:
        InputError: images or labels that do not fit, an attack that is not for the norm, or one
            that needs gradients of a classifier without them.
        ValueError: another argument is out of range.

    Example:
        >>> found = minimal_epsilons(classifier, images, labels, Quick(), norm="linf", largest=0.3,
        ...                          tolerance=0.002, batch_size=250, seed=0)
        >>> found.quantiles()
        (0.028, 0.08, 0.115, 0.143, 0.152)
    """
    start = time.monotonic()
    require_number("largest", largest, above=True)
    require_number("tolerance", tolerance, largest * _FINEST, largest)
    require_whole("batch_size", batch_size)
    require_whole("seed", seed, minimum=0)
    threat_model = ThreatModel(norm, (largest,))
    attack.check_threat_model(threat_model)
    stages = _usable_stages(classifier, attack, norm)
    if not stages:
        expected = f"an attack without gradients ({classifier.gradient_error})"
        raise InputError.expected("attack", expected, attack.name)
    images, labels = check_examples(classifier, images, labels, threat_model)
    search = _Search(classifier, images, labels, threat_model, min(batch_size, len(images)), seed)
    search.run(stages, tolerance, attack.name, progress)
    return MinimalEpsilons(
        attack=attack,
        norm=norm,
        largest=float(largest),
        tolerance=float(tolerance),
        labels=labels,
        epsilons=search.highest,
        examples=search.examples,
        gradient_evaluations=int(search.passes[0]),
        forward_evaluations=int(search.passes[1]),
        seconds=time.monotonic() - start,
    )


def can_search(classifier, attack, norm):
    """Whether the attack can run, or some of its stages: gradients may have been lost."""
    return bool(_usable_stages(classifier, attack, norm))


def _usable_stages(classifier, attack, norm):
    lost = classifier.gradient_error is not None
    return [stage for stage in attack.stages(norm) if not (lost and stage.needs_gradient)]


class _Search:
    """The bracket of every image: `lowest` where the attack failed, `highest` what was found."""

    def __init__(self, classifier, images, labels, threat_model, batch_size, seed):
        self._classifier = classifier
        self._images, self._labels = images, labels
        self._threat_model = threat_model
        self._batch_size, self._seed = batch_size, seed
        right = correct(predict(classifier, images, batch_size), labels)
        self.examples = images.copy()
        self.lowest = np.zeros(len(images))
        self.highest = np.where(right, np.inf, 0.0)
        self.passes = np.array([0, len(images)])

    def run(self, stages, tolerance, name, progress):
        """Tries the largest radius, then ever narrower ones."""
        once = [stage for stage in stages if stage.any_epsilon]
        again = [stage for stage in stages if stage not in once]
        (largest,) = self._threat_model.epsilons
        pending = np.flatnonzero(np.isinf(self.highest))
        for stages, radius in ((once, tolerance), (again, largest)):
            pending = pending[np.isinf(self.highest[pending])]
            self._try(stages, radius, largest, pending, tolerance, name, progress)
        while again and len(pending := np.flatnonzero(self._open(tolerance))):
            radii = between(self.lowest[pending], self.highest[pending], tolerance)
            for radius in np.unique(radii):
                chosen = pending[radii == radius]
                self._try(again, radius, radius, chosen, tolerance, name, progress)
                failed = chosen[self.highest[chosen] > radius]
                self.lowest[failed] = radius

    def _open(self, tolerance):
        return np.isfinite(self.highest) & (self.highest - self.lowest > tolerance)

    def _try(self, stages, epsilon, radius, pending, tolerance, name, progress):
        """Attacks at epsilon; an example within `radius` counts and is drawn in."""
        left = pending
        for stage in stages:
            for round_ in range(stage.rounds):
                for first in range(0, len(left), self._batch_size):
                    rows = left[first : first + self._batch_size]
                    self._propose(stage, epsilon, radius, round_, rows)
                    if progress is not None:
                        unbroken = np.isinf(self.highest).mean()
                        done = min(first + self._batch_size, len(left))
                        progress(f"minimal {name}", epsilon, done, len(left), float(unbroken))
                left = left[self.highest[left] > radius]
        self._draw_in(pending[self.highest[pending] <= radius], tolerance)

    def _propose(self, stage, epsilon, radius, round_, rows):
        pad = padded_places if stage.any_batch else padded
        places = pad(rows, self._batch_size)
        threat_model = ThreatModel(self._threat_model.norm, (float(epsilon),))
        proposal = stage.propose(
            self._classifier,
            self._images[places],
            self._labels[places],
            threat_model=threat_model,
            epsilon=float(epsilon),
            generators=generators(self._seed, stage.name, epsilon, round_, places),
        )
        real = slice(len(rows))
        self.passes[0] += proposal.gradient_evaluations[real].sum()
        self.passes[1] += proposal.forward_evaluations[real].sum()
        self._offer(rows, proposal.images[real], np.full(len(rows), radius))

    def _offer(self, rows, candidates, radii):
        """Keeps candidates, projected to the radii, that fool the model from nearer than before."""
        images = self._images[rows]
        column = radii[:, None, None, None]
        candidates = self._threat_model.project(images, candidates, column)
        places = padded_places(np.arange(len(rows)), self._batch_size)
        logits = predict(self._classifier, candidates[places], len(places))[: len(rows)]
        self.passes[1] += len(rows)
        distances = self._threat_model.distances(images, candidates)
        fooled = ~correct(logits, self._labels[rows])
        better = fooled & (distances < self.highest[rows])
        self.examples[rows[better]] = candidates[better]
        self.highest[rows[better]] = distances[better]
        return fooled

    def _draw_in(self, rows, tolerance):
        """Bisects the radius to which each example can be projected."""
        below = self.lowest[rows].copy()
        while len(rows):
            wide = self.highest[rows] - below > tolerance / 2.0
            rows, below = rows[wide], below[wide]
            for first in range(0, len(rows), self._batch_size):
                part = slice(first, first + self._batch_size)
                radii = (below[part] + self.highest[rows[part]]) / 2.0
                fooled = self._offer(rows[part], self.examples[rows[part]], radii)
                below[part] = np.where(fooled, below[part], radii)


def between(lowest, highest, tolerance):
    """A radius in the middle half of each interval, from as few different ones as possible.

    Images that share a radius are attacked together, so multiples of the largest possible power of
    two of the tolerance are taken.

    Args:
        lowest: float array (intervals,).
        highest: float array (intervals,), each more than `tolerance` above the lowest.
        tolerance: > 0.

    Returns:
        float64 array (intervals,).
    """
    width = highest - lowest
    chosen = np.full(len(lowest), np.nan)
    # Steps of half the width or less hit the middle half.
    step = tolerance * 2.0 ** np.ceil(np.log2(highest.max() / tolerance))
    while np.isnan(chosen).any():
        multiples = np.ceil((lowest + width / 4.0) / step) * step
        fits = np.isnan(chosen) & (multiples <= highest - width / 4.0)
        chosen[fits] = multiples[fits]
        step /= 2.0
    return chosen

"""The search for smallest epsilons: the bracket of every image, narrowed by attacks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.batches import padded_places
from robust_keras.attacks.loops.fooled import correct, is_fooled
from robust_keras.attacks.loops.prediction import predict
from robust_keras.engine.subject import Subject

_RAISED = ("noise", "one_step")


def is_raised(stage: Attack) -> bool:
    """Whether the search raises the radius with this attack, instead of narrowing it down."""
    return stage.kind in _RAISED and not stage.any_epsilon


def rising(largest: float, tolerance: float) -> np.ndarray:
    """The radii a tolerance apart up to the largest, float64 (radii,).

    Example:
        >>> rising(0.3, 0.125)
        array([0.125, 0.25 , 0.3  ])
    """
    count = int(np.ceil(largest / tolerance - 1e-9))
    return np.minimum(tolerance * np.arange(1, count + 1), largest)


class Search:
    """The bracket of every image: `lowest` where the attack failed, `highest` what was found."""

    def __init__(self, subject: Subject, progress: Any):
        self._subject = subject
        self._progress = progress
        images = subject.images
        right = correct(predict(self._classifier, images, subject.batch_size), subject.labels)
        self.examples = images.copy()
        self.lowest = np.zeros(len(images))
        self.highest = np.where(right, np.inf, 0.0)
        self.passes = np.array([0, len(images)])

    @property
    def _classifier(self):
        return self._subject.replicas.first

    def run(self, stages: Sequence[Attack], tolerance: float) -> None:
        """Tries the largest radius, then ever narrower ones; single steps from the smallest on.

        Args:
            stages: `Attack`s that are no cascades.
            tolerance: how near an epsilon found shall be to one without success.
        """
        (largest,) = self._subject.threat_model.epsilons
        self._raise([stage for stage in stages if is_raised(stage)], largest, tolerance)
        once = [stage for stage in stages if stage.any_epsilon]
        again = [stage for stage in stages if not (stage.any_epsilon or is_raised(stage))]
        pending = np.flatnonzero(np.isinf(self.highest))
        for stages, radius in ((once, tolerance), (again, largest)):
            pending = pending[np.isinf(self.highest[pending])]
            self._try(stages, radius, largest, pending, tolerance)
        self.lowest[np.isinf(self.highest)] = largest
        self._tell(tolerance)
        self._narrow(again, tolerance)

    def _raise(self, stages, largest, tolerance):
        """Raises the radius until the class changes."""
        for radius in rising(largest, tolerance) if stages else ():
            pending = np.flatnonzero(np.isinf(self.highest))
            self._try(stages, radius, radius, pending, tolerance)
            self.lowest[pending[self.highest[pending] > radius]] = radius
            self._tell(tolerance)

    def _narrow(self, again, tolerance):
        """Tries between the radii at which an image fell and held out."""
        while again and len(pending := np.flatnonzero(self._open(tolerance))):
            radii = between(self.lowest[pending], self.highest[pending], tolerance)
            for radius in np.unique(radii):
                chosen = pending[radii == radius]
                self._try(again, radius, radius, chosen, tolerance)
                failed = chosen[self.highest[chosen] > radius]
                self.lowest[failed] = radius
                self._tell(tolerance)

    def _tell(self, tolerance):
        """Tells progress how much is done, by how often each image's bracket was halved.

        What an image takes is the same each time; the radii, each of which takes batches of its
        own, double from one time to the next. Either half counts as much.
        """
        (largest,) = self._subject.threat_model.epsilons
        if self._progress is None or tolerance == largest:
            return
        widths = np.minimum(self.highest, largest) - self.lowest
        halved, most = (
            np.log2(largest / np.maximum(widths, tolerance)),
            np.log2(largest / tolerance),
        )
        done = halved / most + (2.0**halved - 1.0) / (2.0**most - 1.0)
        self._progress(float(done.sum()), 2.0 * len(done))

    def _open(self, tolerance):
        return np.isfinite(self.highest) & (self.highest - self.lowest > tolerance)

    def _try(self, stages, epsilon, radius, pending, tolerance):
        """Attacks at epsilon; an example within `radius` counts and is drawn in."""
        left = pending
        for stage in stages:
            for round_ in range(stage.rounds):
                batches = self._subject.batches(left)
                asked = stage, "minimal", float(epsilon), round_, batches
                outcomes = self._subject.attempts(*asked)
                for rows, outcome in zip(batches, outcomes, strict=True):
                    again = stage.any_epsilon and radius != epsilon
                    self._take(rows, outcome, radius if again else None)
                    self._tell(tolerance)
                left = left[self.highest[left] > radius]
        self._draw_in(pending[self.highest[pending] <= radius], tolerance)

    def _take(self, rows, outcome, radius=None):
        """Keeps what one batch of an attack finds, within another radius where one is given."""
        self.passes += outcome.passes
        if radius is not None:
            outcome = self._subject.retry(outcome.proposed, radius, rows)
            self.passes += outcome.passes
        self._keep(rows[outcome.fooled], outcome.adversarial)

    def _keep(self, rows, adversarial):
        """Keeps examples that are nearer than the ones before."""
        distances = self._subject.threat_model.distances(self._subject.images[rows], adversarial)
        better = distances < self.highest[rows]
        self.examples[rows[better]] = adversarial[better]
        self.highest[rows[better]] = distances[better]

    def _fooled_within(self, rows, radii):
        """Which examples still fool the model when projected to the radii; those are kept."""
        subject = self._subject
        column = radii[:, None, None, None]
        images = subject.images[rows]
        candidates = subject.threat_model.project(images, self.examples[rows], column)
        places = padded_places(np.arange(len(rows)), subject.batch_size)
        logits = predict(self._classifier, candidates[places], len(places))[: len(rows)]
        self.passes[1] += len(rows)
        fooled = is_fooled(logits, subject.labels[rows])
        self._keep(rows[fooled], candidates[fooled])
        return fooled

    def _draw_in(self, rows, tolerance):
        """Bisects the radius to which each example can be projected."""
        below = self.lowest[rows].copy()
        while len(rows):
            wide = self.highest[rows] - below > tolerance / 2.0
            rows, below = rows[wide], below[wide]
            for first in range(0, len(rows), self._subject.batch_size):
                part = slice(first, first + self._subject.batch_size)
                radii = (below[part] + self.highest[rows[part]]) / 2.0
                fooled = self._fooled_within(rows[part], radii)
                below[part] = np.where(fooled, below[part], radii)


def between(lowest: np.ndarray, highest: np.ndarray, tolerance: float) -> np.ndarray:
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

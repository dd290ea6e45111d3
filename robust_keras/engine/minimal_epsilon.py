"""The smallest change of each image that was found to change its class."""

import dataclasses

import numpy as np

from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.batches import padded_places
from robust_keras.attacks.loops.fooled import correct, is_fooled
from robust_keras.attacks.loops.prediction import check_examples, predict
from robust_keras.engine.journal import Unrecorded
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.subject import Subject
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

    def of(self, label):
        """The epsilons of one class' images, rising."""
        return tuple(np.sort(self.epsilons[self.labels == label]).tolist())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """How smallest epsilons are searched for.

    Args:
        norm: "linf" or "l2".
        largest: radius, > 0; in linf at most 1.
        tolerance: from a millionth of `largest` to all of it.
        batch_size: images a pass, at most.
        seed: whole number >= 0.
        progress: called as `progress(done, total)` after every batch; shares of the work.
        journal: `Journal` of the batches that are done.

    Raises:
        ValueError: a number is out of range.
    """

    norm: str
    largest: float
    tolerance: float
    batch_size: int
    seed: int
    progress: object = None
    journal: object = dataclasses.field(default_factory=Unrecorded)

    def __post_init__(self):
        require_number("largest", self.largest, above=True)
        require_number("tolerance", self.tolerance, self.largest * _FINEST, self.largest)
        require_whole("batch_size", self.batch_size)
        require_whole("seed", self.seed, minimum=0)


def minimal_epsilons(classifier, images, labels, attack, **settings):
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
        classifier: see `engine.evaluate`.
        images: float array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        attack: `Attack`; a cascade's stages are tried in turn.
        **settings: those of `Settings`.

    Returns:
        `MinimalEpsilons`.

    Raises:
        InputError: images or labels that do not fit, an attack that is not for the norm, or one
            that needs gradients of a classifier without them.
        ValueError: a setting is out of range.

    Example:
        >>> found = minimal_epsilons(classifier, images, labels, PGD(), norm="linf", largest=0.3,
        ...                          tolerance=0.1, batch_size=250, seed=0)
        >>> found.quantiles()  # of 5, 25, 50, 75 and 95 % of the images
        (..., 0..., 0..., 0..., 0...)
    """
    settings = Settings(**settings)
    start = settings.journal.now()
    threat_model = ThreatModel(settings.norm, (settings.largest,))
    attack.check_threat_model(threat_model)
    stages = _usable_stages(classifier, attack, settings.norm)
    if not stages:
        expected = f"an attack without gradients ({classifier.gradient_error})"
        raise InputError.expected("attack", expected, attack.name)
    images, labels = check_examples(classifier, images, labels, threat_model)
    subject = Subject(
        replicas=Replicas([classifier]),
        images=images,
        labels=labels,
        threat_model=threat_model,
        batch_size=min(settings.batch_size, len(images)),
        seed=settings.seed,
        journal=settings.journal,
    )
    search = _Search(subject, settings.progress)
    search.run(stages, settings.tolerance)
    return MinimalEpsilons(
        attack=attack,
        norm=settings.norm,
        largest=float(settings.largest),
        tolerance=float(settings.tolerance),
        labels=labels,
        epsilons=search.highest,
        examples=search.examples,
        gradient_evaluations=int(search.passes[0]),
        forward_evaluations=int(search.passes[1]),
        seconds=settings.journal.now() - start,
    )


def can_search(classifier, attack, norm):
    """Whether the attack can run, or some of its stages: gradients may have been lost."""
    return bool(_usable_stages(classifier, attack, norm))


def _usable_stages(classifier, attack, norm):
    lost = classifier.gradient_error is not None
    return [stage for stage in attack.stages(norm) if not (lost and stage.needs_gradient)]


class _Search:
    """The bracket of every image: `lowest` where the attack failed, `highest` what was found."""

    def __init__(self, subject, progress):
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

    def run(self, stages, tolerance):
        """Tries the largest radius, then ever narrower ones."""
        once = [stage for stage in stages if stage.any_epsilon]
        again = [stage for stage in stages if stage not in once]
        (largest,) = self._subject.threat_model.epsilons
        pending = np.flatnonzero(np.isinf(self.highest))
        for stages, radius in ((once, tolerance), (again, largest)):
            pending = pending[np.isinf(self.highest[pending])]
            self._try(stages, radius, largest, pending, tolerance)
        self.lowest[np.isinf(self.highest)] = largest
        self._tell(tolerance)
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
        left, size = pending, self._subject.batch_size
        for stage in stages:
            for round_ in range(stage.rounds):
                for first in range(0, len(left), size):
                    rows = left[first : first + size]
                    self._attack(stage, epsilon, radius, round_, rows)
                    self._tell(tolerance)
                left = left[self.highest[left] > radius]
        self._draw_in(pending[self.highest[pending] <= radius], tolerance)

    def _attack(self, stage, epsilon, radius, round_, rows):
        """Keeps what one batch of an attack finds within the radius."""
        outcome = self._subject.attempt(stage, "minimal", float(epsilon), round_, rows)
        self.passes += outcome.passes
        if stage.any_epsilon and radius != epsilon:
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

"""The smallest change of each image that was found to change its class."""

import dataclasses
from typing import Any

import numpy as np

from robust_keras.attackable import Attackable
from robust_keras.attacks import ThreatModel
from robust_keras.attacks.attack import Attack, require_number, require_whole
from robust_keras.attacks.loops.prediction import check_examples
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.minimal_search import Search
from robust_keras.engine.replicas import Replicas
from robust_keras.engine.subject import Subject
from robust_keras.errors import InputError
from robust_keras.findings.minimal_epsilon import SHARES

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
    def found(self) -> float:
        """Share of the images for which an epsilon was found, those misclassified included."""
        return float(np.isfinite(self.epsilons).mean())

    def quantiles(self, label: int | None = None) -> tuple[float, ...]:
        """The epsilons below which 5, 25, 50, 75 and 95 % of the images have fallen.

        Each is that of one of the images; infinity where so many did not fall up to `largest`.

        Args:
            label: a class, or None for all images.

        Returns:
            Five floats.
        """
        chosen = self.epsilons if label is None else self.epsilons[self.labels == label]
        return tuple(np.quantile(chosen, SHARES, method="inverted_cdf").tolist())

    def of(self, label: int) -> tuple[float, ...]:
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
    journal: Journal | Unrecorded = dataclasses.field(default_factory=Unrecorded)

    def __post_init__(self):
        require_number("largest", self.largest, above=True)
        require_number("tolerance", self.tolerance, self.largest * _FINEST, self.largest)
        require_whole("batch_size", self.batch_size)
        require_whole("seed", self.seed, minimum=0)


def minimal_epsilons(
    classifier: Attackable, images: np.ndarray, labels: np.ndarray, attack: Attack, **settings: Any
) -> MinimalEpsilons:
    """Searches for the smallest epsilon that changes each image's class, by bisection.

    Formula: the attack is tried at `largest`. What it finds is drawn towards the image, by forward
    passes alone, to the smallest ball around the image into which its projection still fools the
    model. Then the attack is tried again between that radius and the largest one at which it
    failed, until they are `tolerance` apart. An attack whose proposals do not depend on epsilon
    (`any_epsilon`) is made once, and its changes are drawn in. One of a single step, or noise, is
    tried at rising radii a `tolerance` apart until the class changes: that it fails in a large ball
    says nothing about a small one.

    Every epsilon is backed by an example, projected and predicted anew. It is an upper bound: a
    better attack may find less. The radii tried are few, whatever the images, and each image's
    depend on nothing but itself.

    Args:
        classifier: see `engine.evaluate`.
        images: float array (images, height, width, channels) in [0, 1].
        labels: int array (images,).
        attack: `Attack`; a cascade's stages are tried in turn.
        **settings: those of `Settings`.

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
    chosen = Settings(**settings)
    start = chosen.journal.now()
    threat_model = ThreatModel(chosen.norm, (chosen.largest,))
    attack.check_threat_model(threat_model)
    stages = _usable_stages(classifier, attack, chosen.norm)
    if not stages:
        expected = f"an attack without gradients ({classifier.gradient_error})"
        raise InputError.expected("attack", expected, attack.name)
    images, labels = check_examples(classifier, images, labels, threat_model)
    subject = Subject(
        replicas=Replicas([classifier]),
        images=images,
        labels=labels,
        threat_model=threat_model,
        batch_size=min(chosen.batch_size, len(images)),
        seed=chosen.seed,
        journal=chosen.journal,
    )
    search = Search(subject, chosen.progress)
    search.run(stages, chosen.tolerance)
    return MinimalEpsilons(
        attack=attack,
        norm=chosen.norm,
        largest=float(chosen.largest),
        tolerance=float(chosen.tolerance),
        labels=labels,
        epsilons=search.highest,
        examples=search.examples,
        gradient_evaluations=int(search.passes[0]),
        forward_evaluations=int(search.passes[1]),
        seconds=chosen.journal.now() - start,
    )


def can_search(classifier: Attackable, attack: Attack, norm: str) -> bool:
    """Whether the attack can run, or some of its stages: gradients may have been lost."""
    return bool(_usable_stages(classifier, attack, norm))


def _usable_stages(classifier, attack, norm):
    lost = classifier.gradient_error is not None
    return [stage for stage in attack.stages(norm) if not (lost and stage.needs_gradient)]

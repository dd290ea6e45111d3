"""What all attacks together have left, while the audit attacks again."""

import dataclasses
import functools
from typing import Any

import numpy as np

from robust_keras import engine
from robust_keras.attackable import Attackable
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.joined_results import joined
from robust_keras.engine.results import AttackResult, Evaluation
from robust_keras.proportions import clearly_above
from robust_keras.serving.views.masking import Masking

# Share of all images by which a number may be too high, as far as their number can tell.
TOLERATED = 0.02


@dataclasses.dataclass(frozen=True)
class Round:
    """What one more attack came to.

    Args:
        result: its `AttackResult`.
        tried: int array (epsilons,): images that were left before it.
        broken: int array (epsilons,): how many of these it fooled.
        left: float array (epsilons,): robust accuracy after it.
        too_high: bool array (epsilons,): whether robust accuracy had been clearly too high.
    """

    result: AttackResult
    tried: np.ndarray
    broken: np.ndarray
    left: np.ndarray
    too_high: np.ndarray


@dataclasses.dataclass(eq=False)
class Account:
    """The images of an evaluation, and which of them are left.

    Args:
        classifier: the attacked one, which alone decides whether an image is fooled.
        images: float32 array (images, height, width, channels).
        labels: int array (images,).
        evaluation: `Evaluation` that the attacks made; then as it stands after all attacks so far.
        threat_model: `ThreatModel`.
        batch_size: images a pass.
        seed: whole number >= 0.
        journal: `Journal` or `Unrecorded`.
        masking: what stops or falsifies gradients in the model's graph, `Masking`.
    """

    classifier: Attackable
    images: np.ndarray
    labels: np.ndarray
    evaluation: Evaluation
    threat_model: ThreatModel
    _: dataclasses.KW_ONLY
    batch_size: int
    seed: int
    journal: Any
    masking: Masking

    @property
    def measured(self) -> bool:
        """Whether there is a number to doubt: attacks were asked for, at an epsilon above 0.

        Where none of them could run, for want of a gradient, all the more is left to find.
        """
        asked = self.evaluation.attacks and self.rows.size
        return bool(asked and self.evaluation.clean_correct.any())

    @property
    def rows(self) -> np.ndarray:
        """Int array: the rows of the epsilons above 0."""
        return np.flatnonzero(np.array(self.threat_model.epsilons) > 0.0)

    @functools.cached_property
    def proved(self) -> np.ndarray:
        """Bool array (epsilons, images): what no attack can fool, as a proof says."""
        shape, table = self.evaluation.worst_case.shape, self.evaluation.per_image
        if table is None or table.proved is None:
            return np.zeros(shape, bool)
        epsilons = np.array(self.threat_model.epsilons)[:, np.newaxis]
        return np.asarray(epsilons <= table.proved)

    @property
    def left(self) -> np.ndarray:
        """Bool array (epsilons, images): what stands and can be attacked."""
        return self.evaluation.worst_case & ~self.proved

    @property
    def standing(self) -> np.ndarray:
        """Int array: the images that are left at some epsilon above 0."""
        return np.flatnonzero(self.left[self.rows].any(axis=0))

    @property
    def accuracy(self) -> np.ndarray:
        """Float array (epsilons,): what is left, shares of all images."""
        return self.evaluation.worst_case.mean(axis=1)

    def attack(
        self,
        attack: Attack,
        places: np.ndarray | None = None,
        again: int = 0,
    ) -> Round | None:
        """One more attack on what is left; what fools the classifier counts from then on.

        Each image is met at the largest epsilon at which it stands, and at smaller ones only where
        it falls there.

        Args:
            attack: any `Attack`.
            places: int array, the images to attack, or None for all that stand.
            again: of an attack that was made before, another number for other starts.

        Returns:
            A `Round`, or None where nothing was left to attack.
        """
        places = self.standing if places is None else places
        if not len(places):
            return None
        before = self.evaluation.worst_case[:, places]
        reported = self.accuracy
        later = engine.evaluate(
            self.classifier,
            self.images[places],
            self.labels[places],
            [attack],
            self.threat_model,
            batch_size=self.batch_size,
            seed=self.seed + again,
            survivors=before,
            proved=self.proved[:, places],
            sweep="bisection",
            keep_examples=True,
            journal=self.journal,
        )
        later, fallen = _counted(later, before)
        self.evaluation = joined(self.evaluation, places, later)
        tried, broken = before.sum(axis=1), fallen.sum(axis=1)
        too_high = np.array(
            [clearly_too_high(*row) for row in zip(broken, tried, reported, strict=True)]
        )
        return Round(later.attacks[0], tried, broken, self.accuracy, too_high)


def _counted(later, before):
    """(The later evaluation with what the attack fooled alone, bool array of that).

    What a model of chance gets wrong by itself the second time is no success of the attack. In the
    account with rejection, too, an image was attacked only where it stood without: elsewhere
    nothing new is known of it.
    """
    attack = later.attacks[0]
    fallen = before & ~attack.robust & later.clean_correct
    changes = {"worst_case": before & ~fallen}
    if attack.robust_with_rejection is not None:
        accepted = later.clean_correct & later.clean_accepted
        changes["worst_case_with_rejection"] = ~(before & ~attack.robust_with_rejection & accepted)
    return dataclasses.replace(later, **changes), fallen


def clearly_too_high(broken: int, tried: int, reported: float) -> bool:
    """Whether more than two points of what was reported would fall, with the images tried.

    Args:
        broken: images that fell.
        tried: images that were attacked.
        reported: robust accuracy before.
    """
    tolerated = TOLERATED / reported if reported > 0.0 else 1.0
    return clearly_above(int(broken), int(tried), tolerated)

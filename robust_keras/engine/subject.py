"""What is attacked, and one batch of one attack on it."""

import dataclasses
import functools
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from robust_keras.attackable import Attackable, told
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.batches import batch_shape, halved_shape, padded_places
from robust_keras.attacks.loops.fooled import is_fooled
from robust_keras.attacks.loops.prediction import padded, predict, rejected
from robust_keras.attacks.loops.proposal import Proposal
from robust_keras.attacks.loops.random_streams import generators
from robust_keras.attacks.threat_model import ThreatModel
from robust_keras.engine.fitting_batch import halved
from robust_keras.engine.journal import Journal, Unrecorded
from robust_keras.engine.replicas import Replicas
from robust_keras.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one batch of an attack came to.

    Args:
        logits: float32 array (batch, classes), fresh answers to the projected proposals.
        fooled: bool array (batch,), which of them are misclassified.
        adversarial: float32 array (fooled, height, width, channels), those that are.
        passes: int array, backward and forward passes made.
        proposed: None, or float32 array (batch, height, width, channels): the proposals as they
            were, of an attack that is made once for all epsilons.
    """

    logits: np.ndarray
    fooled: np.ndarray
    adversarial: np.ndarray
    passes: np.ndarray
    proposed: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A classifier and the images on which it is attacked; see `engine.evaluate`.

    Args:
        replicas: `Replicas`.
        images: float32 array (images, height, width, channels).
        labels: int64 array (images,).
        threat_model: `ThreatModel`.
        batch_size: images a pass, at most.
        seed: whole number >= 0.
        journal: `Journal` or `Unrecorded`.
        known: bool array (epsilons, images) of what is proved, or None.
    """

    replicas: Replicas
    images: np.ndarray
    labels: np.ndarray
    threat_model: ThreatModel
    batch_size: int
    seed: int
    journal: Journal | Unrecorded
    known: np.ndarray | None = None

    @functools.cached_property
    def proved(self) -> np.ndarray:
        """Where the label is proved to be the answer, bool (epsilons, images): not attacked."""
        shape = len(self.threat_model.epsilons), len(self.images)
        return np.zeros(shape, bool) if self.known is None else falling(self.known, shape, "proved")

    @functools.cached_property
    def scope(self) -> tuple:
        """What names this subject in the journal: all that a batch depends on but the attack."""
        content = zlib.crc32(self.labels.tobytes(), zlib.crc32(self.images.tobytes()))
        first = self.replicas.first
        # Which pixels a random model takes may be found otherwise the next time.
        name = str(told(first, "path")), told(first, "pixels"), told(first, "aimed_at")
        model = self.threat_model
        return name, content, len(self.images), model.norm, model.bounds, self.seed

    @property
    def has_rule(self) -> bool:
        """Whether the classifier may reject images."""
        return told(self.replicas.first, "rejection") is not None

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Logits of up to `batch_size` images, in a pass of one of few shapes."""
        size = batch_shape(len(images), max(len(images), self.batch_size))
        return predict(self.replicas.first, images, size)

    def rejected(self, images: np.ndarray) -> np.ndarray:
        """Which of up to `batch_size` images the classifier declines to answer."""
        # Of one shape, as everywhere, so that nothing is traced anew for the last few.
        rows = padded(images, self.batch_size)
        return rejected(self.replicas.first, rows, self.batch_size)[: len(images)]

    def batches(self, indices: np.ndarray) -> list[np.ndarray]:
        """Indices of images, in parts of up to `batch_size`."""
        size = self.batch_size
        return [indices[first : first + size] for first in range(0, len(indices), size)]

    def attempts(
        self,
        stage: Attack,
        place: Any,
        epsilon: float,
        round_: int,
        batches: Sequence[np.ndarray],
        *,
        shrink: bool = False,
    ) -> Iterator[Outcome]:
        """One try of an attack on each batch, or what the journal says it gave.

        Args:
            stage: `Attack` that is no cascade.
            place: what tells it from others of the same evaluation.
            epsilon: radius, > 0.
            round_: number of the try.
            batches: int arrays of up to `batch_size` images, no image twice.
            shrink: whether a batch of a fixed shape may take one of `halved_shape`.

        Yields:
            An `Outcome` a batch, in their order.
        """
        jobs = [self._job(stage, place, epsilon, round_, part, shrink) for part in batches]
        for kept in self.journal.remember_all(jobs):
            yield Outcome(**kept)

    def _job(self, stage, place, epsilon, round_, indices, shrink):
        """What names one try on one batch in the journal, and the function that makes it."""
        key = (*self.scope, place, repr(stage), float(epsilon).hex(), round_, indices.tolist())
        size = halved_shape(len(indices), self.batch_size) if shrink else self.batch_size
        size = self.replicas.share_of(size)

        def attack(classifier, share):
            return self._fitting(classifier, stage, epsilon, round_, share, size)

        return key, lambda: _values(_joined(self.replicas.run(attack, indices)))

    def retry(
        self, proposed: np.ndarray, epsilon: float | np.ndarray, indices: np.ndarray
    ) -> Outcome:
        """An `Outcome` of proposals that were made before, projected to another radius.

        Args:
            proposed: float32 array (batch, height, width, channels).
            epsilon: radius, or an array (batch,) of one an image.
            indices: int array (batch,), of the images.
        """
        radii = np.reshape(epsilon, (-1, 1, 1, 1))
        adversarial = self.threat_model.project(self.images[indices], proposed, radii)
        logits = self.predict(adversarial)
        fooled = is_fooled(logits, self.labels[indices])
        passes = np.array([0, len(indices)])
        return Outcome(logits=logits, fooled=fooled, adversarial=adversarial[fooled], passes=passes)

    def proposed(
        self, classifier: Attackable, stage: Attack, epsilon: float, round_: int, rows: np.ndarray
    ) -> tuple[Proposal, np.ndarray]:
        """What an attack makes of images: its `Proposal`, and that projected, a float32 array."""
        images = self.images[rows]
        proposal = stage.propose(
            classifier,
            images,
            self.labels[rows],
            threat_model=self.threat_model,
            epsilon=epsilon,
            generators=generators(self.seed, stage.name, epsilon, round_, rows),
        )
        return proposal, self.threat_model.project(images, proposal.images, epsilon)

    def _fitting(self, classifier, stage, epsilon, round_, indices, size):
        """`_attack`, in halves where memory does not last: random numbers belong to the image."""

        def attack(size):
            parts = [indices[first : first + size] for first in range(0, len(indices), size)]
            return _joined(
                [self._attack(classifier, stage, epsilon, round_, part, size) for part in parts]
            )

        return halved(attack, size)[0]

    def _attack(self, classifier, stage, epsilon, round_, indices, size):
        """Projected proposals for the images, the model's fresh answers, and the passes made."""
        rows = (padded_places if stage.any_batch else padded)(indices, size)
        proposal, adversarial = self.proposed(classifier, stage, epsilon, round_, rows)
        real = slice(len(indices))
        logits = predict(classifier, adversarial, len(rows))[real]
        fooled = is_fooled(logits, self.labels[indices])
        gradients = proposal.gradient_evaluations[real].sum()
        forwards = proposal.forward_evaluations[real].sum() + len(indices)
        return Outcome(
            logits=logits,
            fooled=fooled,
            adversarial=adversarial[real][fooled],
            passes=np.array([gradients, forwards]),
            proposed=np.float32(proposal.images[real]) if stage.any_epsilon else None,
        )


def falling(given: Any, shape: tuple[int, int], name: str) -> np.ndarray:
    """The bool array (epsilons, images), False wherever it is False at a smaller epsilon.

    Args:
        given: array.
        shape: that it must have.
        name: of it, for the error.

    Raises:
        InputError: it is of another shape or kind.
    """
    given = np.asarray(given)
    if given.shape != shape or given.dtype != bool:
        raise InputError.expected(name, f"bool {shape}", f"{given.dtype} {given.shape}")
    return np.logical_and.accumulate(given, axis=0)


def _values(outcome):
    """What there is of an outcome, as a journal takes it."""
    return {name: value for name, value in vars(outcome).items() if value is not None}


def _joined(outcomes):
    """One `Outcome` of those of all replicas."""
    if len(outcomes) == 1:
        return outcomes[0]
    names = ("logits", "fooled", "adversarial", "proposed")
    parts = {name: [getattr(outcome, name) for outcome in outcomes] for name in names}
    joined = {
        name: None if values[0] is None else np.concatenate(values)
        for name, values in parts.items()
    }
    return Outcome(passes=sum(outcome.passes for outcome in outcomes), **joined)

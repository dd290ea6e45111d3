"""One stage of an attack under way, and what it cost and left so far."""

import contextlib
import typing

import numpy as np

from robust_keras.engine.results import StageResult
from robust_keras.engine.subject import Outcome


class Batch(typing.NamedTuple):
    """One batch that was tried.

    `fooled` is bool (2, batch), in both accounts of `Standing`; `done` of `total` images are
    finished with at this epsilon.
    """

    indices: np.ndarray
    outcome: Outcome
    fooled: np.ndarray
    done: int
    total: int


class StageRun:
    """Tries one stage on images and counts what that takes.

    Args:
        stage: `Attack` that is no cascade.
        skipped: why it cannot run, or None.
        title: what people are shown.
        place: what tells the stage from others of the same evaluation.
        standing: `Standing` of the attack.
        progress: as in `engine.evaluate`.

    Attributes:
        stage, skipped, standing: as given.
        passes: int array: backward and forward passes so far.
        accuracy: what it left at each epsilon, shares of all images.
    """

    def __init__(self, stage, skipped, *, title, place, standing, progress):
        self.stage = stage
        self.skipped = skipped
        self.standing = standing
        self.passes = np.zeros(2, int)
        self.accuracy = [float("nan")] * len(standing.epsilons)
        self._seconds = 0.0
        self._title = title
        self._place = place
        self._progress = progress
        self._subject = standing.subject
        self._proposed = {}

    @contextlib.contextmanager
    def clock(self):
        """Adds the time that is spent within."""
        start = self._subject.journal.now()
        yield
        self._seconds += self._subject.journal.now() - start

    def result(self):
        """The `StageResult`."""
        accuracy = () if self.skipped else tuple(self.accuracy)
        passes = (int(count) for count in self.passes)
        return StageResult(self.stage.name, accuracy, self._seconds, *passes, self.skipped)

    def tries(self, row, wanted, *, shrink=False):
        """Tries every image that is wanted in an account, in all rounds, batch by batch.

        Args:
            row: of the epsilon.
            wanted: bool array (2, images), cleared where an image is fooled.
            shrink: see `Subject.attempt`.

        Yields:
            A `Batch` after each.
        """
        total = int(wanted.any(axis=0).sum())
        for round_ in range(self.stage.rounds):
            pending = np.flatnonzero(wanted.any(axis=0))
            for first in range(0, len(pending), self._subject.batch_size):
                indices = pending[first : first + self._subject.batch_size]
                outcome = self._outcome(row, round_, indices, shrink)
                self.passes += outcome.passes
                fooled = self.standing.judge(row, indices, outcome)
                wanted[:, indices] &= ~fooled
                # An image is done when its last round is, or when it has fallen.
                share = (round_ + (first + len(indices)) / len(pending)) / self.stage.rounds
                done = round(total * share) if wanted.any() else total
                yield Batch(indices, outcome, fooled, done, total)

    def report(self, row, done, total):
        """Tells `progress` how far the stage is; with `row` None, over all epsilons at once."""
        if self._progress is not None:
            epsilons = self.standing.epsilons
            epsilon, row = (None, -1) if row is None else (epsilons[row], row)
            self._progress(self._title, epsilon, done, total, self.standing.accuracy(row))

    def _outcome(self, row, round_, indices, shrink):
        epsilon, known = self.standing.epsilons[row], self._proposed
        if self.stage.any_epsilon and all(index in known for index in indices.tolist()):
            proposed = np.stack([known[index] for index in indices.tolist()])
            return self._subject.retry(proposed, epsilon, indices)
        outcome = self._subject.attempt(
            self.stage, self._place, epsilon, round_, indices, shrink=shrink
        )
        if self.stage.any_epsilon:
            known.update(zip(indices.tolist(), outcome.proposed, strict=True))
        return outcome

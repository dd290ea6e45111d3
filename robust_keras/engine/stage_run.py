"""One stage of an attack under way: what it has left so far, and what that cost."""

import contextlib
import dataclasses
import typing

import numpy as np

from robust_keras.attacks.attack import Attack
from robust_keras.engine.image_findings import Findings
from robust_keras.engine.results import StageResult
from robust_keras.engine.subject import Outcome, Subject


class Batch(typing.NamedTuple):
    """One batch that was tried.

    `fooled` is bool (2, batch), in both accounts of `StageRun`; `done` of `total` images are
    finished with at this epsilon.
    """

    indices: np.ndarray
    outcome: Outcome
    fooled: np.ndarray
    done: int
    total: int


@dataclasses.dataclass(kw_only=True, eq=False)
class StageRun:
    """Tries one stage of an attack on images, judges what comes out, and counts what that takes.

    The account `robust` has two rows: the first counts every misclassified image as fallen, the
    second only those that are accepted as well. Without a rejection rule the rows are the same.

    Args:
        subject: `Subject`.
        stage: `Attack` that is no cascade.
        attack: name of the attack it belongs to.
        title: what people are shown.
        place: what tells the stage from others of the same evaluation.
        skipped: why it cannot run, or None.
        robust: bool array (2, epsilons, images), what is attacked and then what is left; never
            rising with epsilon. All stages of an attack share one.
        findings: `Findings` of the evaluation.
        progress: as in `engine.evaluate`.

    Attributes:
        passes: int array: backward and forward passes so far.
        accuracy: what it left at each epsilon, shares of all images.
    """

    subject: Subject
    stage: Attack
    attack: str
    title: str
    place: tuple
    skipped: str | None
    robust: np.ndarray
    findings: Findings
    progress: typing.Any

    def __post_init__(self) -> None:
        self.passes = np.zeros(2, int)
        self.accuracy = [float("nan")] * len(self.epsilons)
        self._seconds = 0.0
        self._proposed: dict[int, np.ndarray] = {}

    @property
    def epsilons(self) -> tuple[float, ...]:
        """The radii, one a row of each account."""
        return self.subject.threat_model.epsilons

    @contextlib.contextmanager
    def clock(self) -> typing.Iterator[None]:
        """Adds the time that is spent within."""
        start = self.subject.journal.now()
        yield
        self._seconds += self.subject.journal.now() - start

    def result(self) -> StageResult:
        """The `StageResult`."""
        accuracy = () if self.skipped else tuple(self.accuracy)
        gradients, forwards = (int(count) for count in self.passes)
        spent = self._seconds, gradients, forwards
        return StageResult(self.stage.name, accuracy, *spent, self.skipped)

    def note(self, row: int) -> None:
        """Keeps the share of all images that are robust at an epsilon."""
        self.accuracy[row] = float(self.robust[0, row].mean())

    def report(self, row: int | None, done: int, total: int) -> None:
        """Tells `progress` how far the stage is; with `row` None, over all epsilons at once."""
        if self.progress is not None:
            epsilon, row = (None, -1) if row is None else (self.epsilons[row], row)
            self.progress(self.title, epsilon, done, total, float(self.robust[0, row].mean()))

    def tries(
        self, row: int, wanted: np.ndarray, *, shrink: bool = False
    ) -> typing.Iterator[Batch]:
        """Tries every image that is wanted in an account, in all rounds, batch by batch.

        Args:
            row: of the epsilon.
            wanted: bool array (2, images), cleared where an image is fooled.
            shrink: see `Subject.attempts`.

        Yields:
            A `Batch` after each.
        """
        total = int(wanted.any(axis=0).sum())
        for round_ in range(self.stage.rounds):
            pending, tried = np.flatnonzero(wanted.any(axis=0)), 0
            batches = self.subject.batches(pending)
            outcomes = self._outcomes(self.epsilons[row], round_, batches, shrink)
            for indices, outcome in zip(batches, outcomes, strict=True):
                fooled = self.judge(row, indices, outcome)
                wanted[:, indices] &= ~fooled
                # An image is done when its last round is, or when it has fallen.
                tried += len(indices)
                share = (round_ + tried / len(pending)) / self.stage.rounds
                done = round(total * share) if wanted.any() else total
                yield Batch(indices, outcome, fooled, done, total)

    def judge(self, rows: int | np.ndarray, indices: np.ndarray, outcome: Outcome) -> np.ndarray:
        """Counts an image that was fooled as fallen at that epsilon and at every larger one.

        Args:
            rows: of the epsilons: one, or one an image.
            indices: int array (batch,), of the images.
            outcome: `Outcome`, whose passes are counted too.

        Returns:
            bool array (2, batch): which of them were fooled, in both accounts.
        """
        self.passes += outcome.passes
        fooled = np.stack([outcome.fooled, outcome.fooled])
        if outcome.fooled.any():
            fooled[1, outcome.fooled] = ~self.subject.rejected(outcome.adversarial)
        rows = np.broadcast_to(rows, len(indices))
        reached = np.arange(len(self.epsilons))[:, np.newaxis] >= rows
        self.robust[:, :, indices] &= ~(reached & fooled[:, np.newaxis])
        self.findings.see(indices, outcome.logits, np.array(self.epsilons)[rows])
        places = np.flatnonzero(outcome.fooled)
        for place, adversarial in zip(places, outcome.adversarial, strict=True):
            answer = outcome.logits[place], self.epsilons[rows[place]], self.attack
            self.findings.offer(int(indices[place]), adversarial, *answer)
        return fooled

    def _outcomes(self, epsilon, round_, batches, shrink):
        """What an attack, or what it proposed before where that serves all epsilons, comes to."""
        fresh = [indices for indices in batches if not self._is_proposed(indices)]
        attempts = self.subject.attempts(
            self.stage, self.place, epsilon, round_, fresh, shrink=shrink
        )
        for indices in batches:
            if self._is_proposed(indices):
                proposed = np.stack([self._proposed[index] for index in indices.tolist()])
                yield self.subject.retry(proposed, epsilon, indices)
                continue
            outcome = next(attempts)
            if self.stage.any_epsilon:
                self._proposed.update(zip(indices.tolist(), outcome.proposed, strict=True))
            yield outcome

    def _is_proposed(self, indices):
        return all(index in self._proposed for index in indices.tolist())

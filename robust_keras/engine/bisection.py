"""The smallest epsilon that fools the model on each image, found with few attacks."""

import numpy as np

from robust_keras.engine.stage_run import StageRun

# How much nearer the next attack may find something than the last one did, see `_aim`.
_FURTHER = 0.3


class Bisection:
    """Searches the epsilons with one stage, for every image by itself.

    An image is attacked at the largest epsilon first. If it survives, it counts as robust at all
    smaller ones. If it falls, the change that was found is made smaller, which takes forward passes
    alone, and then attacks close the gap between the largest epsilon known to be survived and the
    smallest known to be fallen at. What happens to an image does not depend on the others; those
    that are due at the same epsilon are attacked together. The next epsilon is the middle of the
    gap, or for an attack that takes all its steps the likeliest place, see `_aim`.
    """

    def __init__(self, run: StageRun):
        self._run = run
        self._epsilons = np.array(run.epsilons)
        # Nothing is attacked at epsilon 0.
        self._floor = int(self._epsilons[0] == 0.0)
        self._survived = run.robust & run.subject.proved
        # What such an attack finds barely fools the model, however large the ball is, so nothing
        # can be learnt from how far it can be shrunk.
        self._stops_early = run.stage.stops_early
        # Epsilon of the last attack that fooled the model on the image, 0 for none.
        self._reach = np.zeros(run.robust.shape[2])

    def search(self) -> None:
        """Attacks until the gap is closed for every image, in both accounts of `StageRun`."""
        accounts, rows = self._due()
        self._total = int((rows >= 0).sum())
        while (rows >= 0).any():
            # From the largest epsilon on batches are fullest, as images move down more than up.
            self._probe(rows.max(), rows == rows.max(), accounts)
            accounts, rows = self._due()
            self._report(rows)

    def _report(self, rows):
        self._run.report(None, self._total - int((rows >= 0).sum()), self._total)

    def _limits(self):
        """Row of the largest epsilon survived and of the smallest fallen at, each (2, images)."""
        robust = self._run.robust
        known = np.arange(len(self._epsilons))[:, np.newaxis]
        survived = np.where(self._survived & robust, known, self._floor - 1).max(axis=1)
        return survived, robust.sum(axis=1)

    def _due(self):
        """The account that each image is attacked for next, and the row of the epsilon or -1."""
        survived, fallen = self._limits()
        missing = fallen - survived > 1
        accounts = np.where(missing[0], 0, 1)
        low, high = (np.take_along_axis(v, accounts[np.newaxis], 0)[0] for v in (survived, fallen))
        aim = (low + high) // 2 if self._stops_early else self._aim(low, high)
        rows = np.where(self._reach > 0.0, aim, high - 1)
        return accounts, np.where(missing.any(axis=0), rows, -1)

    def _aim(self, low, high):
        """Where an image is most likely to tell something, a row between the two.

        The change was found at one epsilon and could be shrunk to another. Where that took it far,
        it was made for a larger ball, and an attack on a smaller one will find a better change.
        """
        # Where nothing has fallen, or is attacked at all, the clipping decides.
        fallen = self._epsilons[np.clip(high, self._floor, len(self._epsilons) - 1)]
        shrunk = fallen / np.maximum(self._reach, fallen)
        rows = np.searchsorted(self._epsilons, fallen * shrunk**_FURTHER, side="right") - 1
        return np.clip(rows, low + 1, high - 1)

    def _probe(self, row, due, accounts):
        """Attacks the images that are due at one epsilon and shrinks what is found."""
        low, high = self._limits()
        wanted = due & (low < row) & (row < high)
        tried = wanted.copy()
        for batch in self._run.tries(row, wanted, shrink=True):
            aimed = accounts[batch.indices]
            fallen = np.take_along_axis(batch.fooled, aimed[np.newaxis], 0)[0]
            self._reach[batch.indices[fallen]] = self._epsilons[row]
            changed = batch.outcome.adversarial[fallen[batch.outcome.fooled]]
            self._shrink(row, batch.indices[fallen], aimed[fallen], changed)
            self._report(self._due()[1])
        self._survived[:, row] |= tried & self._run.robust[:, row]

    def _shrink(self, row, indices, accounts, changed):
        """Projects changed images to smaller epsilons, by bisection between them.

        Args:
            row: of the epsilon at which the changed images fool the model.
            indices: int array (batch,), of the images.
            accounts: int array (batch,), in which account each fell.
            changed: float32 array (batch, height, width, channels).
        """
        if not len(indices):
            return
        low = self._limits()[0][accounts, indices]
        high = np.full(len(indices), row)
        while (high - low > 1).any():
            (open_,) = np.nonzero(high - low > 1)
            middle = (low[open_] + high[open_]) // 2
            outcome = self._run.subject.retry(
                changed[open_], self._epsilons[middle], indices[open_]
            )
            fooled = self._run.judge(middle, indices[open_], outcome)
            fell = fooled[accounts[open_], np.arange(len(open_))]
            high[open_] = np.where(fell, middle, high[open_])
            low[open_] = np.where(fell, low[open_], middle)

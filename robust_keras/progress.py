"""What a person at a terminal sees while attacks run."""

import sys

import tqdm


class AttackProgress:
    """A bar for the attack at work: images done, time left, robust accuracy so far.

    Without a terminal nothing is drawn: logs would fill with half-drawn bars.

    Args:
        title: what is attacked, shown before the attack's name.
    """

    def __init__(self, title):
        self._title = title
        self._bar = None
        self._stage = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._close()

    def _close(self):
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __call__(self, attack, epsilon, done, total, robust_accuracy):
        """Shows that `attack` has finished `done` of `total` images at `epsilon`."""
        if self._stage != (attack, epsilon):
            self._close()
            self._stage = (attack, epsilon)
            self._bar = tqdm.tqdm(
                total=total,
                desc=f"{self._title} {attack} {epsilon:.4g}",
                unit="image",
                file=sys.stderr,
                disable=not sys.stderr.isatty(),
            )
        self._bar.update(done - self._bar.n)
        self._bar.set_postfix_str(f"robust accuracy {robust_accuracy:.3f}")


class StepProgress:
    """A bar for work of a known number of equal steps; nothing is drawn without a terminal.

    Args:
        title: what is done.
    """

    def __init__(self, title):
        self._title = title
        self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done, total):
        """Shows that `done` of `total` steps are finished."""
        if self._bar is None:
            self._bar = tqdm.tqdm(
                total=total, desc=self._title, file=sys.stderr, disable=not sys.stderr.isatty()
            )
        self._bar.update(done - self._bar.n)

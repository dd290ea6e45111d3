"""What a person at a terminal, or in a log, sees while attacks run."""

import sys
import time

import tqdm

from robust_keras.time_left import in_words

# A log gets one line in so many seconds at most.
_BETWEEN_LINES = 30.0


class AttackProgress:
    """A bar for the attack at work: images done, robust accuracy so far, time left for everything.

    Without a terminal there are no bars, which would fill a log with half-drawn lines, but a line
    now and then.

    Args:
        time_left: `TimeLeft` of the evaluation, or None.
        stream: where to write; by default stderr.
        now: clock in seconds.

    Attributes:
        title: what is attacked, shown before the attack's name.
    """

    def __init__(self, time_left=None, stream=None, now=time.monotonic):
        self.title = ""
        self._time_left = time_left
        self._stream = sys.stderr if stream is None else stream
        self._now = now
        self._last_line = now()
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
        text = f"robust accuracy {robust_accuracy:.3f}"
        if self._time_left is not None:
            self._time_left.note(attack, epsilon, done, total, robust_accuracy)
            seconds = self._time_left.seconds()
            text += "" if seconds is None else f", about {in_words(seconds)} left"
        where = "all epsilons" if epsilon is None else f"{epsilon:.4g}"
        if self._stream.isatty():
            self._draw(f"{self.title} {attack} {where}", done, total, text)
        elif self._is_time():
            line = f"{self.title} {attack} {where}: {done} of {total} images, {text}"
            print(line, file=self._stream, flush=True)

    def _draw(self, stage, done, total, text):
        if self._stage != stage:
            self._close()
            self._stage = stage
            self._bar = tqdm.tqdm(total=total, desc=stage, unit="image", file=self._stream)
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(done - self._bar.n)

    def _is_time(self):
        now = self._now()
        if now - self._last_line < _BETWEEN_LINES:
            return False
        self._last_line = now
        return True


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

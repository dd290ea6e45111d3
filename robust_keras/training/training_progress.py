"""What a person at a terminal, in a notebook or in a log sees while a model is trained."""

import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import keras

from robust_keras import durations
from robust_keras.progress_bar import ProgressBar

# Seconds to save, test and export the network afterwards.
_AFTERWARDS = 4.0
# Name in the logs of an epoch -> how it is shown, in this order.
_SHOWN = {"loss": "loss", "accuracy": "acc", "val_accuracy": "val", "probe_accuracy": "probe"}


class TrainingProgress(keras.callbacks.Callback):
    """A line for each epoch; where bars are drawn, also one for all epochs together.

    Use it as a context: what interrupts the training then leaves no half-drawn bar.

    Args:
        epochs: of the whole run.
        initial_epoch: epochs that were done before.
        steps: batches an epoch.
        cost: what a step of an epoch costs, in any unit, as a function of the epoch from 0 on.
        stream: where to write; by default stdout.
        now: clock in seconds.

    Example:
        >>> with TrainingProgress(epochs=2, initial_epoch=0, steps=2) as progress:
        ...     history = model.fit(
        ...         images, labels, batch_size=10, epochs=2, callbacks=[progress], verbose=0
        ...     )
        Epoch 1/2: loss ...; ... s so far, about ... s left
        Epoch 2/2: loss ...; ... s so far, about ... s left
    """

    def __init__(
        self,
        *,
        epochs: int,
        initial_epoch: int,
        steps: int,
        cost: Callable = lambda epoch: 1.0,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ):
        super().__init__()
        self._epochs = epochs
        self._steps = steps
        self._cost = cost
        self._now = now
        self._began = now()
        self._epoch, self._step = initial_epoch, 0
        self._logs: dict[str, float] = {}
        # Without the first step, in which the functions are built, and without what follows an
        # epoch's steps.
        self._spent, self._work = 0.0, 0.0
        self._since: float | None = None
        self._between, self._pauses = 0.0, 0
        self._bar = ProgressBar(sys.stdout if stream is None else stream)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._bar.close()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the epoch."""
        self._epoch, self._step, self._since = epoch, 0, None

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Counts a step and draws."""
        now = self._now()
        if self._since is not None:
            self._spent += now - self._since
            self._work += self._cost(self._epoch)
        self._since, self._step = now, batch + 1
        self._logs = dict(logs or {})
        done = self._epoch * self._steps + self._step
        title = f"Epoch {self._epoch + 1}/{self._epochs}"
        self._bar.show(
            title, done, self._epochs * self._steps, lambda: self._text(durations.roughly)
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes the epoch's line."""
        now = self._now()
        if self._since is not None:
            self._between, self._pauses = self._between + now - self._since, self._pauses + 1
        self._logs = dict(logs or {})
        self._epoch, self._step, self._since = epoch + 1, 0, None
        self._bar.line(f"Epoch {epoch + 1}/{self._epochs}: {self._text()}")

    def seconds_left(self) -> float | None:
        """The estimate, None while no step is measured."""
        if not self._work:
            return None
        epochs = range(self._epoch, self._epochs)
        work = sum(self._cost(epoch) for epoch in epochs) * self._steps
        work -= self._step * self._cost(self._epoch) if self._step else 0.0
        # Until there was a pause, a tenth of an epoch is guessed for what follows its steps.
        pause = self._steps * self._cost(self._epoch) * self._spent / self._work / 10
        if self._pauses:
            pause = self._between / self._pauses
        return work * self._spent / self._work + len(epochs) * pause + _AFTERWARDS

    def _text(self, words=durations.measured):
        values = [
            f"{name} {float(self._logs[key]):.3f}"
            for key, name in _SHOWN.items()
            if key in self._logs
        ]
        left = self.seconds_left()
        times = f"{words(max(self._now() - self._began, 1.0))} so far"
        if left is not None:
            times += f", about {durations.roughly(left)} left"
        return f"{', '.join(values)}; {times}"

"""The learning-rate range test: which rates make the loss fall, and from which on it grows."""

import csv
import io
import math
import pathlib
from typing import Any

import keras

from robust_keras import arguments
from robust_keras.directories import place, range_test_files, whole_files

_SMOOTHING = 0.9
_DIVERGED = 4.0  # times the lowest loss


class LearningRateRangeTest(keras.callbacks.Callback):
    """Raises the learning rate from step to step, logs the loss, and suggests a highest rate.

    At step t of n the rate is `lowest (highest / lowest)^(t / (n - 1))`. The loss of each batch is
    smoothed (exponential mean, 0.9, without bias); training stops after n steps, or where it is
    more than four times its lowest or not finite. The suggestion is the rate at which the smoothed
    loss is lowest, divided by ten: small enough to be stable, and large enough to be quick; for
    the peak of a one-cycle schedule a third of that rate often works. The model is spoilt
    afterwards: train a new one.

    Smith, Cyclical Learning Rates for Training Neural Networks, 2015, arXiv 1506.01186.

    Args:
        lowest: rate of the first step, above 0.
        highest: rate of the last step, above `lowest`.
        steps: n, at least 10.

    Raises:
        ValueError: an argument is out of its range.

    Example:
        ```python
        test = LearningRateRangeTest(steps=200)
        model.fit(images, labels, epochs=1, callbacks=[test])
        test.suggestion  # 0.03
        ```
    """

    def __init__(self, lowest: float = 1e-5, highest: float = 10.0, steps: int = 200):
        super().__init__()
        arguments.real("lowest", lowest, "above 0", above=0)
        arguments.real("highest", highest, f"above lowest={lowest}", above=lowest)
        arguments.real("steps", steps, "at least 10", least=10)
        self.lowest, self.highest, self.steps = lowest, highest, steps
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        return self.lowest * (self.highest / self.lowest) ** (step / (self.steps - 1))

    @property
    def suggestion(self) -> float | None:
        """A tenth of the rate of the lowest smoothed loss; None before the first step."""
        finite = [
            pair for pair in zip(self.smoothed, self.rates, strict=True) if math.isfinite(pair[0])
        ]
        return min(finite)[1] / 10 if finite else None

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Forgets an earlier test."""
        self.rates, self.losses, self.smoothed = [], [], []
        self._mean = 0.0

    def on_train_batch_begin(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Sets the step's rate."""
        # Keras' loss is the mean since the epoch began; this test needs each step's own.
        self.model.reset_metrics()
        self.model.optimizer.learning_rate = self.rate_at(len(self.rates))

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Logs the step and stops where there is no more to learn."""
        step, loss = len(self.rates), float((logs or {})["loss"])
        self._mean = _SMOOTHING * self._mean + (1 - _SMOOTHING) * loss
        self.rates.append(self.rate_at(step))
        self.losses.append(loss)
        self.smoothed.append(self._mean / (1 - _SMOOTHING ** (step + 1)))
        ended = step + 1 >= self.steps
        if ended or not math.isfinite(loss) or self.smoothed[-1] > _DIVERGED * min(self.smoothed):
            self.model.stop_training = True

    def write(self, directory: pathlib.Path) -> None:
        """Writes `learning_rate_range.csv` and `learning_rate_range.png` into a directory."""
        directory = pathlib.Path(directory)
        place.make_directory(directory)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(range_test_files.CSV_HEAD.split(","))
        writer.writerows(zip(self.rates, self.losses, self.smoothed, strict=True))
        whole_files.write(directory / "learning_rate_range.csv", text.getvalue())
        whole_files.write(directory / "learning_rate_range.png", self._picture())

    def _picture(self):
        # Only who draws shall wait for matplotlib; the object interface needs no display.
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        axes.plot(self.rates, self.losses, color="0.75", linewidth=1, label="loss")
        axes.plot(self.rates, self.smoothed, color="C0", label="smoothed")
        axes.axvline(self.suggestion, color="C1", linestyle=":", label="suggestion")
        axes.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        top = max(self.smoothed[0], min(self.smoothed)) * 1.5
        axes.set_ylim(0, top if math.isfinite(top) else None)
        axes.legend(frameon=False)
        picture = io.BytesIO()
        metadata = {"Software": range_test_files.SOFTWARE}
        figure.savefig(picture, format="png", dpi=120, metadata=metadata)
        return picture.getvalue()

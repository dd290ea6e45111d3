"""Learning rates over a run: a name for each, and a function of (highest rate, steps)."""

from typing import Any

import keras

from robust_keras import arguments
from robust_keras.settings import names


@keras.saving.register_keras_serializable(package="robust_keras")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up from 0 in a straight line, and down to 0 in another.

    `lr(t) = peak min(t / (a n), (n - t) / (n - a n))`, and 0 after step n.

    Wong, Rice and Kolter, 2020, arXiv 2001.03994, for a = 0.4 (MNIST) and 0.5 (CIFAR-10).

    Args:
        peak: the highest learning rate, above 0.
        steps: n, steps of the run, at least 1.
        peak_at: a, the share of the steps after which the peak is reached, in (0, 1).

    Raises:
        ValueError: an argument is out of its range.

    Example:
        `keras.optimizers.Adam(OneCycle(5e-3, steps=6000))`
    """

    def __init__(self, peak: float, steps: int, peak_at: float = 0.4):
        arguments.real("peak", peak, "above 0", above=0)
        arguments.real("steps", steps, "at least 1", least=1)
        arguments.real("peak_at", peak_at, "in (0, 1)", above=0, below=1)
        self.peak, self.steps, self.peak_at = peak, steps, peak_at

    def __call__(self, step):
        """The learning rate of a step, counted from 0."""
        share = keras.ops.cast(step, "float32") / self.steps
        rising, falling = share / self.peak_at, (1.0 - share) / (1.0 - self.peak_at)
        return self.peak * keras.ops.maximum(keras.ops.minimum(rising, falling), 0.0)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"peak": self.peak, "steps": self.steps, "peak_at": self.peak_at}


def step_decay(peak: float, steps: int) -> Any:
    """A tenth of the rate after half of the steps, and again after three quarters."""
    boundaries = [max(steps // 2, 1), max(steps * 3 // 4, 2)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        boundaries, [peak, peak / 10, peak / 100]
    )


SCHEDULES = names.table(
    names.LEARNING_RATE_SCHEDULES,
    {
        "constant": lambda peak, steps: peak,
        "cosine": keras.optimizers.schedules.CosineDecay,
        "one_cycle": OneCycle,
        "step": step_decay,
    },
)

"""Between which two numbers each entry of a tensor lies."""

import dataclasses
from typing import Any

import tensorflow as tf

# Largest relative error of one float32 operation.
ROUNDING = 2.0**-24


@dataclasses.dataclass(frozen=True)
class Interval:
    """Elementwise bounds of a tensor.

    Args:
        lower: float64 tensor (batch, ...).
        upper: float64 tensor of the same shape, nowhere below `lower`.
        unit: largest relative error of one operation of the network that is bounded; 0.0 for exact
            arithmetic. What is made of an interval keeps it.
    """

    lower: tf.Tensor
    upper: tf.Tensor
    unit: float = dataclasses.field(default=ROUNDING, kw_only=True)

    @property
    def centre(self) -> tf.Tensor:
        """The middle of each interval."""
        return (self.lower + self.upper) / 2.0

    @property
    def radius(self) -> tf.Tensor:
        """Half the width of each interval."""
        return (self.upper - self.lower) / 2.0

    @property
    def magnitude(self) -> tf.Tensor:
        """The largest absolute value that each interval holds."""
        return tf.maximum(tf.abs(self.lower), tf.abs(self.upper))

    def widened(self, error: Any) -> "Interval":
        """Each interval with a margin of `error`, at least 0, on both sides."""
        return self.like(self.lower - error, self.upper + error)

    def like(self, lower: Any, upper: Any) -> "Interval":
        """Other bounds in the same arithmetic."""
        return Interval(lower, upper, unit=self.unit)

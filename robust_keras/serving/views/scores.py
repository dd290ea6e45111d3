"""What a model's output holds, and the logits that are made of it."""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf

# The smallest probability whose logarithm is taken as it is: far above the denormal numbers, which
# processors may flush to zero, and small enough that 1 / floor stays finite after a multiplication.
PROBABILITY_FLOOR = 1e-30
_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Scores:
    """How one output of a model is read.

    Args:
        output: its name.
        width: columns that it has, one a class; a single column tells two classes apart.
        kind: "logits" or "probabilities", what the model as saved gives.
        take_logarithm: whether logits are made of probabilities by the logarithm.
    """

    output: str
    width: int
    kind: str
    take_logarithm: bool = False

    @property
    def num_classes(self) -> int:
        """How many classes the output tells apart."""
        return max(self.width, 2)

    def logits(self, outputs: Any) -> tf.Tensor:
        """Float32 logits (batch, classes) of all outputs, a dict from name to tensor.

        Formula: of one logit z `[0, z]`, so that their softmax is sigmoid(z); of one probability p
        `[log(1 - p), log p]`.
        """
        values = tf.cast(outputs[self.output], tf.float32)
        rows = tf.ensure_shape(tf.reshape(values, _row_shape(values)), (None, self.width))
        if self.width > 1:
            return log_probabilities(rows) if self.take_logarithm else rows
        if self.take_logarithm:
            return log_probabilities(tf.concat([1.0 - rows, rows], axis=-1))
        return tf.concat([tf.zeros_like(rows), rows], axis=-1)


def _row_shape(values):
    # One score an image may have lost its axis, and a convolution leaves axes of one pixel.
    return (-1, 1) if values.shape.rank == 1 else (-1, values.shape[-1])


def width_of(shape: Any, batch: int) -> int | None:
    """Columns of an output of that shape for so many images; None where it holds no scores."""
    if not shape or shape[0] != batch or any(side != 1 for side in shape[1:-1]):
        return None
    return 1 if len(shape) == 1 else shape[-1] or None


def are_probabilities(rows: np.ndarray) -> bool:
    """Whether rows of finite numbers are probabilities: a softmax's, or a sigmoid's single column.

    Rows with anything that is no number are left aside: they tell nothing.

    Args:
        rows: array (batch, ..., classes).
    """
    rows = _finite_rows(rows)
    if not len(rows):
        return False
    if rows.shape[-1] == 1:
        return are_shares(rows)
    return bool(np.all(rows >= 0.0) and np.all(np.abs(rows.sum(axis=-1) - 1.0) <= _TOLERANCE))


def are_shares(rows: np.ndarray) -> bool:
    """Whether all finite numbers are in [0, 1], as those of one sigmoid a class.

    Args:
        rows: array (batch, ..., classes).
    """
    rows = _finite_rows(rows)
    return bool(len(rows) and np.all((rows >= 0.0) & (rows <= 1.0)))


def _finite_rows(rows):
    rows = np.asarray(rows, np.float64)
    rows = rows.reshape(len(rows), -1) if len(rows) else rows.reshape(0, 1)
    return rows[np.isfinite(rows).all(axis=-1)]


def log_probabilities(probabilities: tf.Tensor) -> tf.Tensor:
    """Logits with the given softmax: log(max(p, 1e-30)), with the gradient 1 / max(p, 1e-30).

    A plain maximum would have no gradient below the floor, so a probability of exactly 0 could
    never rise again. What a softmax has already lost by underflow before its output no logarithm
    can bring back: prefer the softmax's own input where it can be found.

    Args:
        probabilities: float32 tensor (batch, classes) in [0, 1].

    Returns:
        Tensor of the same shape.
    """
    floored = tf.maximum(probabilities, PROBABILITY_FLOOR)
    return tf.math.log(probabilities + tf.stop_gradient(floored - probabilities))

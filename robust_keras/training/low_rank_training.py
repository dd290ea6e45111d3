"""Low rank while training: callbacks for any fit."""

from typing import Any

import keras

from robust_keras import arguments
from robust_keras.training.kernel_matrices import (
    columns_by_output,
    rank,
    rows_by_height,
    singular_values,
)
from robust_keras.training.low_rank import convolutions, rank_of, truncate
from robust_keras.training.prunable_kernels import prunable_kernels


class LowRankConstraint(keras.callbacks.Callback):
    """Puts every convolution back to a rank: the nearest kernel of that rank, in closed form.

    Kernels have the rank at the end of every epoch, so `low_rank.convert` at the same rank then
    splits them without error.

    Args:
        rank: below 1 a share of each layer's full rank, from 1 on the rank.
        every: steps between two projections, at least 1.

    Raises:
        ValueError: an argument is out of its range, or (when training begins) the model has no
            convolution to constrain.

    Reference: Tai et al., 2015, arXiv 1511.06067, for the closed form.

    Example: `model.fit(images, labels, callbacks=[LowRankConstraint(0.5)])`, then
        `convert(model, 0.5)`.
    """

    def __init__(self, rank: float, every: int = 10):
        super().__init__()
        rank_of((1, 1, 1, 1), rank)
        arguments.whole("every", every, least=1)
        self.rank = rank
        self.every = every

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Finds the convolutions."""
        self._layers = convolutions(getattr(self.model, "classifier", self.model))
        if not self._layers:
            raise ValueError(
                "`model` must have a 2D convolution that is higher and wider than a pixel. "
                f"Received: model={self.model.name!r}"
            )

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Projects every few steps."""
        if (batch + 1) % self.every == 0:
            self._project()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Projects, so that what is saved after the epoch has the rank."""
        self._project()

    def _project(self):
        for layer in self._layers:
            kernel = keras.ops.convert_to_numpy(layer.kernel)
            layer.kernel.assign(truncate(kernel, rank_of(kernel.shape, self.rank)))


class KernelRanks(keras.callbacks.Callback):
    """Adds the rank of every kernel and the sum of all nuclear norms to each epoch's logs.

    Put it before the callbacks that write logs (`CSVLogger`, `TensorBoard`): they then hold
    `rank/LAYER` and `nuclear_norm`. A singular value counts if it is above `tolerance` times the
    largest.

    Args:
        tolerance: in (0, 1).
        separable: whether a convolution counts as the matrix (C kh, kw N) of `low_rank`, and not
            as (kh kw C, N).

    Example: `model.fit(images, labels, callbacks=[KernelRanks(), keras.callbacks.CSVLogger(path)])`
    """

    def __init__(self, tolerance: float = 0.01, separable: bool = False):
        super().__init__()
        if not 0 < tolerance < 1:
            arguments.refuse("tolerance", "in (0, 1)", tolerance)
        self.tolerance = tolerance
        self.separable = separable

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes into the logs."""
        if logs is not None:
            logs.update(self.measure(self.model))

    def measure(self, model: keras.Model) -> dict[str, float]:
        """The logs of a model: a dict of numbers."""
        matrix_of = rows_by_height if self.separable else columns_by_output
        found, total = {}, 0.0
        for kernel in prunable_kernels(model):
            values = keras.ops.convert_to_numpy(kernel.variable)
            found[f"rank/{kernel.layer_name}"] = rank(matrix_of(values), self.tolerance)
            total += float(singular_values(columns_by_output(values)).sum())
        return {"nuclear_norm": total, **found}

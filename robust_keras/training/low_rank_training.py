"""Low rank while training: a constraint for any fit, and what train.py does with its flags."""

from typing import Any

import keras

from robust_keras.errors import InputError
from robust_keras.training.kernel_matrices import (
    columns_by_output,
    rank,
    rows_by_height,
    singular_values,
)
from robust_keras.training.low_rank import convert, convolutions, full_rank, rank_of, truncate
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
        if type(every) is not int or every < 1:
            raise ValueError(
                f"`every` must be a whole number of at least 1. Received: every={every!r}"
            )
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
            raise ValueError(f"`tolerance` must be in (0, 1). Received: tolerance={tolerance}")
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


def before_training(model: keras.Model, config: Any) -> keras.Model:
    """The model to train: its convolutions split, where `--low_rank_method=layers` asks for it.

    Raises:
        InputError: `--low_rank` is given and the model has no convolution to split.
    """
    if config.low_rank and not convolutions(model):
        raise InputError.expected(
            "--low_rank", "0 for a model without convolutions larger than 1x1", config.model
        )
    if not config.low_rank or config.low_rank_method != "layers":
        return model
    return convert(model, config.low_rank)[0]


def after_training(model: keras.Model, config: Any) -> keras.Model:
    """The trained model, split now where `--low_rank_method=constraint` kept it of that rank.

    Prints the rank of every convolution that was split.
    """
    if not config.low_rank:
        return model
    if config.low_rank_method == "constraint":
        model = convert(model, config.low_rank)[0]
    for line in _descriptions(model):
        print(line)
    return model


def callbacks(config: Any) -> list[keras.callbacks.Callback]:
    """What `--low_rank` and `--nuclear_norm` need in fit, in this order, before the logs."""
    found = []
    if config.low_rank and config.low_rank_method == "constraint":
        found.append(LowRankConstraint(config.low_rank))
    if config.low_rank or config.nuclear_norm:
        found.append(KernelRanks(separable=bool(config.low_rank)))
    return found


def _descriptions(model):
    """A line on every pair of convolutions that `convert` made."""
    by_name = {layer.name: layer for layer in model.layers}
    for name, vertical in by_name.items():
        horizontal = by_name.get(f"{name.removesuffix('_vertical')}_horizontal")
        if name.endswith("_vertical") and horizontal is not None:
            height, _, channels, _ = vertical.kernel.shape
            _, width, _, filters = horizontal.kernel.shape
            highest = full_rank((height, width, channels, filters))
            yield f"{name.removesuffix('_vertical')}: rank {vertical.filters} of {highest}"

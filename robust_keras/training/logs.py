"""What a run writes down while it trains."""

import math
import pathlib
from typing import Any

import keras

from robust_keras.directories.epoch_table import EpochTable
from robust_keras.errors import InputError


class EpochLog(keras.callbacks.Callback):
    """Writes what Keras logs at the end of every epoch to a CSV file.

    Args:
        path: `pathlib.Path` of the file.
        initial_epoch: epochs done by the run that this one continues; later rows are dropped.
    """

    def __init__(self, path: pathlib.Path, initial_epoch: int):
        super().__init__()
        self._table = EpochTable(path, initial_epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Adds the epoch's row."""
        self._table.add([{"epoch": epoch} | dict(sorted((logs or {}).items()))])


def log_callbacks(
    csv_path: pathlib.Path, tensorboard_path: pathlib.Path, initial_epoch: int
) -> list[keras.callbacks.Callback]:
    """CSV and TensorBoard logs that go on where the first `initial_epoch` epochs ended."""
    return [
        EpochLog(csv_path, initial_epoch),
        keras.callbacks.TensorBoard(str(tensorboard_path), write_graph=False),
    ]


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Ends training in the step whose loss is not finite, and says where that was."""

    def __init__(self) -> None:
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Remembers the epoch for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: Any, logs: dict[str, float] | None = None) -> None:
        """Raises InputError unless the loss is finite."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise InputError.expected(
                "training",
                "a finite loss (a lower --learning_rate may help)",
                f"{loss} in epoch {self._epoch + 1}, step {batch + 1}; "
                "the checkpoint of the last whole epoch is kept",
            )

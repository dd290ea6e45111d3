"""What a run writes down while it trains."""

import csv
import math
import pathlib

import keras

from robust_keras.errors import InputError


def drop_rows_from_epoch(path: pathlib.Path, epoch: int):
    """Removes the rows of `epoch` and later from a CSV log.

    A run that was killed between its log and its checkpoint repeats an epoch; the log shall hold
    each epoch once.
    """
    if not path.exists():
        return
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        return
    kept = [row for row in rows if int(row["epoch"]) < epoch]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)


def log_callbacks(csv_path: pathlib.Path, tensorboard_path: pathlib.Path, initial_epoch: int):
    """CSV and TensorBoard logs that go on where the first `initial_epoch` epochs ended."""
    drop_rows_from_epoch(csv_path, initial_epoch)
    return [
        keras.callbacks.CSVLogger(str(csv_path), append=csv_path.exists()),
        keras.callbacks.TensorBoard(str(tensorboard_path), write_graph=False),
    ]


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Ends training in the step whose loss is not finite, and says where that was."""

    def __init__(self):
        super().__init__()
        self._epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        """Remembers the epoch for the message."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Raises InputError unless the loss is finite."""
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            raise InputError.expected(
                "training",
                "a finite loss (a lower --learning_rate may help)",
                f"{loss} in epoch {self._epoch + 1}, step {batch + 1}; "
                "the checkpoint of the last whole epoch is kept",
            )

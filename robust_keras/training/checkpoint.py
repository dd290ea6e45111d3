"""Checkpoints from which an interrupted run goes on to the same final weights."""

import os
import pathlib
import shutil
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from robust_keras.directories import whole_files
from robust_keras.errors import InputError
from robust_keras.training.averaging import averaged_weights, read_variable
from robust_keras.training.results import save_model

_ADVICE = " (delete it to begin again with the first epoch)"


class LastCheckpoint(keras.callbacks.Callback):
    """Keeps all that a run needs to go on, after every epoch, in one file that is always whole.

    That of the epoch before is kept beside it, as previous.npz, for a disk that damages the last.

    Stored are the model's variables (weights, moving statistics, the states of its random seeds),
    the optimizer's, and those of other callbacks such as pruning masks. Keras' own BackupAndRestore
    leaves the last group out.

    Args:
        path: an `.npz` file.
        extra_variables: called without arguments for the variables of other callbacks.
    """

    def __init__(self, path: str | pathlib.Path, extra_variables: Callable = tuple):
        super().__init__()
        self._path = pathlib.Path(path)
        self._previous = self._path.with_name(f"previous{self._path.suffix}")
        self._extra_variables = extra_variables

    def variables(self, model: keras.Model) -> list:
        """Everything that is stored, of a compiled model."""
        optimizer = model.optimizer
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        return [*model.variables, *optimizer.variables, *self._extra_variables()]

    def restore(self, model: keras.Model) -> int:
        """Restores the state, if there is one.

        Args:
            model: the compiled model of the run, newly built.

        Returns:
            The number of epochs already done; 0 when there is no checkpoint.

        Raises:
            InputError: if the file is no checkpoint of this model, and there is none before it.
        """
        if not self._path.exists():
            return 0
        variables = self.variables(model)
        values, epochs = self._stored()
        if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
            raise InputError.expected(
                str(self._path),
                f"a checkpoint of this model{_ADVICE}",
                f"{len(values)} other arrays",
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return epochs

    def _stored(self):
        """What is in the last file, or, where that is damaged, in the one before."""
        try:
            return _read(self._path)
        except InputError as error:
            if not self._previous.exists():
                raise
            try:
                found = _read(self._previous)
            except InputError:
                raise error from None  # to delete the last one is what begins again
            # Or else the next epoch would keep the damaged one, and write over the only good one.
            _copy(self._previous, self._path)
            print(f"warning: {error}; going on from {self._previous}", file=sys.stderr)
            return found

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes the state; the old file is kept beside the new one until the next."""
        if self._path.exists():
            _keep(self._path, self._previous)
        arrays: dict[str, Any] = {
            f"variable_{i}": read_variable(variable)
            for i, variable in enumerate(self.variables(self.model))
        }
        with whole_files.writing(self._path) as temporary, open(temporary, "wb") as file:
            np.savez(file, epochs=np.int64(epoch + 1), **arrays)


def _keep(path, to):
    """Gives a file a second name, under which it stays when the first is given to another."""
    # Killed before the first was given away; to rename one of its names to the other does nothing.
    if to.exists() and os.path.samefile(path, to):
        return
    with whole_files.writing(to) as temporary:
        try:
            os.link(path, temporary)
        except OSError:  # not every file system knows two names
            shutil.copyfile(path, temporary)


def _copy(path, to):
    with whole_files.writing(to) as temporary:
        shutil.copyfile(path, temporary)


def _read(path):
    """The variables' values in a file, and the epochs done."""
    try:
        with np.load(path) as stored:
            values = [stored[f"variable_{i}"] for i in range(len(stored.files) - 1)]
            return values, int(stored["epochs"])
    # A damaged archive raises nearly everything: of zipfile, zlib, struct, memory, encodings.
    except Exception as error:
        raise InputError.expected(
            str(path), f"a checkpoint{_ADVICE}", f"another file ({error})"
        ) from error


class BestCheckpoint(keras.callbacks.Callback):
    """Keeps the model of the epoch with the highest accuracy so far.

    Args:
        path: a `.keras` file.
        first_epoch: epochs before this one do not count, such as those before pruning has ended: a
            denser model is not a better version of the pruned one.
        metric: name of the accuracy in the logs.
    """

    def __init__(
        self, path: str | pathlib.Path, first_epoch: int = 0, metric: str = "val_accuracy"
    ):
        super().__init__()
        self._path = pathlib.Path(path)
        self._score_path = self._path.with_suffix(".txt")
        self._first_epoch = first_epoch
        self._metric = metric

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Raises InputError where an earlier run's score cannot be read."""
        self._best()

    def _best(self):
        if not self._score_path.exists():
            return -1.0
        try:
            score = float(self._score_path.read_text(encoding="utf-8"))
            if not 0.0 <= score <= 1.0:
                raise ValueError(f"the number {score}")
            return score
        except (OSError, ValueError) as error:
            raise InputError.expected(
                str(self._score_path),
                "the accuracy of best.keras (delete both to choose among the epochs to come)",
                error,
            ) from error

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Saves the model if it is the best so far."""
        accuracy = (logs or {}).get(self._metric)
        if accuracy is None or epoch < self._first_epoch or accuracy <= self._best():
            return
        with averaged_weights(self.model):
            save_model(self.model, self._path)
        whole_files.write(self._score_path, f"{accuracy}\n")

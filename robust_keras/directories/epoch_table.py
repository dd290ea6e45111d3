"""Logs of a run as CSV files that hold each epoch once."""

import csv
import io
import pathlib
from collections.abc import Iterable
from typing import Any

from robust_keras.directories import whole_files
from robust_keras.errors import InputError


class EpochTable:
    """A CSV file with the rows of each epoch once, whole on the disk after every one.

    A run that was killed between its log and its checkpoint repeats an epoch.

    Args:
        path: the file, which need not exist.
        epoch: the epoch to go on with; rows of it and of later ones are dropped.

    Raises:
        InputError: the file is damaged.
    """

    def __init__(self, path: pathlib.Path, epoch: int):
        self._path = pathlib.Path(path)
        self._rows = [row for row in read_rows(self._path) if int(row["epoch"]) < epoch]

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Adds dicts from column to value, each with an "epoch", and writes the file."""
        self._rows += rows
        text = io.StringIO()
        columns = dict.fromkeys(name for row in self._rows for name in row)
        writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._rows)
        whole_files.write(self._path, text.getvalue())


def read_rows(path: pathlib.Path) -> list[dict[str, str]]:
    """The rows of an `EpochTable`'s file as dicts of text; none without a file.

    Raises:
        InputError: the file is damaged.
    """
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            if None in row or None in row.values() or not row["epoch"].lstrip("-").isdecimal():
                raise ValueError(f"a line that is not whole: {list(row.values())}")
            int(row["epoch"])
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise InputError.expected(
            str(path), "a log of epochs (delete it to go on without its rows)", error
        ) from error
    return rows

"""The first file of every run: what it was asked to do, what it read, and what it ran on."""

import dataclasses
import functools
import json
import os
import pathlib
import sys
from collections.abc import Sequence
from typing import Any

from robust_keras.directories import fingerprints, whole_files
from robust_keras.directories.occupied import OccupiedError
from robust_keras.errors import InputError

NAME = "config.json"
_MARK = "robust_keras"
# Fields that every version of a program has written.
_ALWAYS = {"dataset", "batch_size", "seed", "output_dir"}


class Record:
    """`config.json`: the settings, and under "robust_keras" which program made it from what.

    Nothing but these programs writes such a file, so a directory that has one is theirs.

    Args:
        directory: `pathlib.Path` of the run.
        settings: its frozen dataclass.
        program: "train" or "evaluate".
        inputs: paths of what it reads; those that do not exist are left out.
    """

    def __init__(
        self, directory: pathlib.Path, settings: Any, program: str, inputs: Sequence[pathlib.Path]
    ):
        self.path = directory / NAME
        self._directory = directory
        self._settings = settings
        self._program = program
        self._inputs = inputs
        self._warned = False

    def exists(self) -> bool:
        """Whether this program made the directory.

        Raises:
            InputError: the file is damaged, or another program's.
        """
        return self.path.exists() and self._stored() is not None

    def write(self) -> None:
        """Writes the file, unless it is there."""
        if self.path.exists():
            return
        mark = {"program": self._program} | fingerprints.versions() | {"files": self._files}
        values = dataclasses.asdict(self._settings) | {_MARK: mark}
        whole_files.write(self.path, json.dumps(values, indent=2) + "\n")

    def check_same(self) -> None:
        """Whether the run that made the file is the one that is asked for now.

        Tells on stderr where it began with other versions of the libraries.

        Raises:
            OccupiedError: it was asked to do something else.
            InputError: what it read has changed.
        """
        self.check_settings()
        _, mark = self._stored()
        self._check_files(mark.get("files"))
        now = fingerprints.versions()
        others = [f"{name} {mark[name]}" for name in now if mark.get(name, now[name]) != now[name]]
        if others and not self._warned:
            self._warned = True
            print(
                f"warning: {self._directory} was begun with {', '.join(others)}; what is left is "
                "done with " + ", ".join(f"{name} {now[name]}" for name in now),
                file=sys.stderr,
            )

    def check_settings(self) -> None:
        """Raises OccupiedError if the run that made the file was asked to do something else."""
        self._check_settings(self._stored()[0])

    def _stored(self):
        """The settings and the mark in the file."""
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
            mark = dict(values.pop(_MARK, {}))
            if not _ALWAYS <= set(values) or mark.get("program", self._program) != self._program:
                raise InputError(f"not one of {self._program}")
            return type(self._settings).from_json(json.dumps(values)), mark
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError.expected(
                "--output_dir",
                f"a run with a readable {NAME} (choose another, or delete this one)",
                f"{self.path} ({error})",
            ) from error

    def _check_settings(self, stored):
        different = [
            f"--{field.name}={stored.typed(field.name, getattr(stored, field.name))}"
            for field in dataclasses.fields(stored)
            if getattr(stored, field.name) != getattr(self._settings, field.name)
            and field.metadata["decides_results"]
        ]
        if different:
            raise OccupiedError.expected(
                "--output_dir",
                "an unfinished run with the same settings",
                f"{self._directory}, begun with {' '.join(different)}",
            )

    def _check_files(self, stored):
        if not isinstance(stored, dict):
            return
        now = self._files
        changed = [path for path in {**stored, **now} if stored.get(path) != now.get(path)]
        if changed:
            raise InputError.expected(
                "--output_dir",
                "an unfinished run of the same files (bring them back, or choose another)",
                f"{self._directory}, begun before {changed[0]} changed",
            )

    @functools.cached_property
    def _files(self):
        return fingerprints.files(self._inputs, outside=self._directory)


def inputs(settings: Any, *fields: str) -> list[pathlib.Path]:
    """The paths of the data set and of what settings name in some of their fields, for a `Record`.

    Args:
        settings: a frozen dataclass.
        *fields: names of fields that are None, text or a tuple of texts.
    """
    values = [getattr(settings, field) for field in fields]
    texts = [v for value in values for v in (value if isinstance(value, tuple) else (value,))]
    prepared = settings.data_dir or os.path.expanduser("~/tensorflow_datasets")
    # Its name may hold a configuration and a version: cifar10:3.0.2.
    prepared = pathlib.Path(prepared, settings.dataset.partition(":")[0])
    own = pathlib.Path(settings.dataset)
    # pathlib's own question raises in a directory that may not be entered.
    data = own if os.path.exists(own) else prepared
    return [data, *(pathlib.Path(text) for text in texts if text)]

"""The directory of one report: new, begun and to be gone on with, or finished and never touched."""

import contextlib
import pathlib
import re

from robust_keras.directories import lock, place, record, whole_files
from robust_keras.directories.occupied import OccupiedError, first_free
from robust_keras.errors import InputError
from robust_keras.settings.config import EvaluateConfig

_ENTRY = re.compile(r"[0-9a-f]{32}\.npz")


def report_directory(config: EvaluateConfig) -> "ReportDirectory":
    """The `ReportDirectory` that the config names, or the first default one that is free."""
    # Beside the fields, so that it is in no config.json.
    if not config.is_default_directory:  # type: ignore[attr-defined]
        return ReportDirectory(config)
    return first_free(str(config.output_dir), lambda path: ReportDirectory(config, path))


class ReportDirectory:
    """Where one evaluation keeps its things.

    `config.json` is written first. `journal/` holds what is done of an evaluation under way; it
    goes when `report.json`, which is written last, is there.

    Args:
        config: the `EvaluateConfig`.
        path: where; as the config says unless given.

    Raises:
        OccupiedError: if the directory holds a finished report, an evaluation begun with other
            settings, or files that are none of these.
        InputError: if it is a file, read-only or damaged, in use by another process, or its
            evaluation began with other models or data.
    """

    def __init__(self, config: EvaluateConfig, path: str | pathlib.Path | None = None):
        self.path = pathlib.Path(path or str(config.output_dir))
        self.journal_path = self.path / "journal"
        self._begun = False
        inputs = record.inputs(config, "models", "plugins", "adversarial_images")
        self._record = record.Record(self.path, config, "evaluate", inputs)
        place.check_writable(self.path)
        self._check_content()
        lock.check(self.path)

    def begin(self) -> None:
        """Takes the directory for this process and notes what it was asked to do.

        Raises:
            InputError: another process was quicker.
        """
        if self._begun:
            return
        place.make_directory(self.path)
        lock.acquire(self.path)
        # Another process may have begun or finished an evaluation since this one looked.
        self._check_content()
        for directory in (self.path, self.journal_path, self.path / "figures"):
            whole_files.remove_leftovers(directory)
        self._record.write()
        place.make_directory(self.journal_path)
        self._begun = True

    def finish(self) -> None:
        """Deletes the journal of an evaluation whose report is written, and nothing else in it."""
        whole_files.remove_leftovers(self.journal_path)
        # What cannot be deleted does no harm to a finished report.
        with contextlib.suppress(OSError):
            for entry in self.journal_path.iterdir():
                if _ENTRY.fullmatch(entry.name):
                    entry.unlink()
            self.journal_path.rmdir()

    def _check_content(self):
        if (self.path / "report.json").exists():
            self._finish_what_was_killed()
            raise OccupiedError.expected(
                "--output_dir",
                "a directory without a finished report",
                f"{self.path}, which holds report.json",
            )
        place.check_kinds(
            self.path,
            directories=[self.journal_path, self.path / "figures"],
            files=[
                self.path / "report.html",
                self.path / "examples.csv",
                self.path / "recheck.py",
                *self.path.glob("adversarial_examples*"),
                *(self.path / "figures").glob("*"),
            ],
        )
        if self._record.exists():
            self._record.check_same()
            return
        place.refuse_others(self.path, place.others(self.path))

    def _finish_what_was_killed(self):
        """A process that was killed after its report was written has left its journal."""
        if self.journal_path.is_symlink() or not self.journal_path.is_dir():
            return
        # Somebody else's directory, or one in use, stays as it is.
        with contextlib.suppress(InputError):
            if self._record.exists():
                lock.acquire(self.path)
                self.finish()
                lock.release(self.path)

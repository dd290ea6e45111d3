"""The directory of one report: new, begun and to be gone on with, or finished and never touched."""

import json
import pathlib
import shutil

from robust_keras.errors import InputError
from robust_keras.run_directory import check_writable, make_directory, write_atomically

_OURS = {"figures", "journal", "report.html", "examples.csv"}
_KEPT = "adversarial_examples"


class ReportDirectory:
    """Where one evaluation keeps its things.

    `journal/` holds what is done of an evaluation under way, with its settings; it goes when
    `report.json`, which is written last, is there.

    Args:
        config: the `EvaluateConfig`.

    Raises:
        InputError: if the directory is a file, is read-only, or holds a finished report, an
            evaluation begun with other settings or other files of a model, or files that are none
            of these.
    """

    def __init__(self, config):
        self.path = pathlib.Path(config.output_dir)
        self.journal_path = self.path / "journal"
        self._begun_path = self.journal_path / "begun.json"
        self._begun = {"settings": json.loads(config.to_json()), "files": _files(config)}
        check_writable(self.path)
        self._check_content()

    def begin(self):
        """Makes the directory of the journal and notes what the evaluation was asked to do."""
        make_directory(self.journal_path)
        if not self._begun_path.exists():
            write_atomically(self._begun_path, json.dumps(self._begun, indent=2) + "\n")

    def finish(self):
        """Deletes the journal of an evaluation whose report is written."""
        shutil.rmtree(self.journal_path, ignore_errors=True)

    def _check_content(self):
        if (self.path / "report.json").exists():
            raise InputError.expected(
                "--output_dir",
                "a directory without a finished report",
                f"{self.path}, which holds report.json",
            )
        if not self.path.is_dir():
            return
        names = {item.name for item in self.path.iterdir() if not item.name.startswith(".")}
        others = sorted(name for name in names - _OURS if not name.startswith(_KEPT))
        if others:
            raise InputError.expected(
                "--output_dir",
                "a new or empty directory",
                f"{self.path}, which holds {', '.join(others[:3])}",
            )
        if self._begun_path.exists():
            self._check_same(self._stored())

    def _stored(self):
        try:
            stored = json.loads(self._begun_path.read_text(encoding="utf-8"))
            return {"settings": dict(stored["settings"]), "files": dict(stored["files"])}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError.expected(
                "--output_dir",
                "an unfinished evaluation with a readable journal",
                f"{self._begun_path} ({error})",
            ) from error

    def _check_same(self, stored):
        settings, now = stored["settings"], self._begun["settings"]
        different = [
            f"--{name}={_as_typed(settings.get(name))}"
            for name in sorted({*settings, *now} - {"output_dir"})
            if settings.get(name) != now.get(name)
        ]
        if different:
            raise InputError.expected(
                "--output_dir",
                "an unfinished evaluation with the same settings",
                f"{self.path}, begun with {' '.join(different)}",
            )
        files = self._begun["files"]
        changed = [path for path in files if files[path] != stored["files"].get(path)]
        if changed:
            raise InputError.expected(
                "--output_dir",
                "an unfinished evaluation of the same files",
                f"{self.path}, begun before {changed[0]} changed",
            )


def _as_typed(value):
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _files(config):
    """Size and time of change of every file of the models and of an .npz data set."""
    roots = [pathlib.Path(path) for path in config.models]
    roots += [pathlib.Path(config.dataset)] if config.dataset.endswith(".npz") else []
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                status = path.stat()
                found[str(path)] = [status.st_size, status.st_mtime_ns]
    return found

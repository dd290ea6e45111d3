"""The directory of one run: new, unfinished and to be resumed, or finished and never touched."""

import os
import pathlib

from robust_keras.errors import InputError

# What a learning-rate range test leaves in the directory of the run that it is made for.
_RANGE_TEST = {"learning_rate_range.csv", "learning_rate_range.png"}


def _nearest_existing(path: pathlib.Path) -> pathlib.Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def check_writable(path: pathlib.Path):
    """Raises InputError unless `path` is a directory, or can become one, that may be written to."""
    nearest = _nearest_existing(path)
    if not nearest.is_dir():
        raise InputError.expected("--output_dir", "a directory", f"{path}, but {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError.expected(
            "--output_dir",
            "a directory that can be written to",
            f"{path}, but {nearest} is read-only",
        )


def make_directory(path: pathlib.Path):
    """Creates `path` and its parents; an InputError says why where that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError.expected(
            "--output_dir", "a directory that can be created", f"{path} ({error.strerror})"
        ) from error


def write_atomically(path: pathlib.Path, text: str):
    """Writes the whole text or nothing."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


class TrainingDirectory:
    """Where one training run keeps its things.

    `config.json` is written when training begins and `serving/1` last, so its presence marks a
    finished run.

    Args:
        config: the run's `TrainConfig`.

    Raises:
        InputError: if the directory is a file, is read-only, holds a finished run, an unfinished
            run with other settings, or files that are no run's.
    """

    def __init__(self, config):
        self.path = pathlib.Path(config.output_dir)
        self._config = config
        self.model_path = self.path / "model.keras"
        self.serving_path = self.path / "serving"
        self.checkpoint_path = self.path / "checkpoints" / "last.npz"
        self.best_path = self.path / "checkpoints" / "best.keras"
        self.csv_path = self.path / "logs" / "training.csv"
        self.layers_path = self.path / "logs" / "layers.csv"
        self.tensorboard_path = self.path / "logs" / "tensorboard"
        self._config_path = self.path / "config.json"
        check_writable(self.path)
        self._check_content()

    def _check_content(self):
        if (self.serving_path / "1").exists():
            raise InputError.expected(
                "--output_dir",
                "a new directory or an unfinished run",
                f"{self.path}, a finished run",
            )
        if self._config_path.exists():
            self._check_same_settings()
        elif self.path.is_dir() and {item.name for item in self.path.iterdir()} - _RANGE_TEST:
            raise InputError.expected(
                "--output_dir",
                "a new or empty directory, or a run of train.py",
                f"{self.path}, which holds other files",
            )

    def _check_same_settings(self):
        try:
            stored = type(self._config).from_json(self._config_path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            raise InputError.expected(
                "--output_dir",
                "a run with a readable config.json",
                f"{self._config_path} ({error})",
            ) from error
        different = [
            f"--{name}={value}"
            for name, value in vars(stored).items()
            if value != getattr(self._config, name) and name != "output_dir"
        ]
        if different:
            raise InputError.expected(
                "--output_dir",
                "an unfinished run with the same settings",
                f"{self.path}, begun with {' '.join(different)}",
            )

    def begin(self):
        """Creates the directory and stores the settings, or leaves an unfinished run as it is."""
        for directory in (self.checkpoint_path.parent, self.csv_path.parent):
            make_directory(directory)
        if not self._config_path.exists():
            write_atomically(self._config_path, self._config.to_json())

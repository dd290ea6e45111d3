"""The directory of one training run: new, unfinished and to be resumed, or finished."""

import pathlib

from robust_keras.directories import lock, place, record, whole_files
from robust_keras.directories.occupied import OccupiedError, first_free
from robust_keras.directories.range_test_files import RANGE_TEST_FILES, is_range_test
from robust_keras.settings.config import TrainConfig

_INPUTS = ("classifier", "distillation_teacher", "source_models")


def training_directory(config: TrainConfig) -> "TrainingDirectory":
    """The `TrainingDirectory` that the config names, or the first default one that is free."""
    # Beside the fields, so that it is in no config.json.
    if not config.is_default_directory:  # type: ignore[attr-defined]
        return TrainingDirectory(config)
    return first_free(str(config.output_dir), lambda path: TrainingDirectory(config, path))


class TrainingDirectory:
    """Where one training run keeps its things.

    `config.json` is written first and the exported version last, so that its presence marks a
    finished run.

    Args:
        config: the run's `TrainConfig`.
        path: where; as the config says unless given.

    Raises:
        OccupiedError: if the directory holds a finished run, an unfinished run with other settings,
            or files that are no run's.
        InputError: if it is a file, read-only or damaged, in use by another process, or its run
            began with other data or models.
    """

    def __init__(self, config: TrainConfig, path: str | pathlib.Path | None = None):
        self.path = pathlib.Path(path or str(config.output_dir))
        self.model_path = self.path / "model.keras"
        self.serving_path = self.path / "serving"
        self._exported = self.serving_path / str(config.serving_version)
        self.checkpoint_path = self.path / "checkpoints" / "last.npz"
        self.best_path = self.path / "checkpoints" / "best.keras"
        self.csv_path = self.path / "logs" / "training.csv"
        self.layers_path = self.path / "logs" / "layers.csv"
        self.tensorboard_path = self.path / "logs" / "tensorboard"
        self._record = record.Record(self.path, config, "train", record.inputs(config, *_INPUTS))
        place.check_writable(self.path)
        self._check_content()
        lock.check(self.path)

    def _check_content(self):
        if self._exported.exists():
            raise OccupiedError.expected(
                "--output_dir",
                "a new directory or an unfinished run",
                f"{self.path}, a finished run",
            )
        place.check_kinds(
            self.path, directories=self._directories(), files=self._files() + self._range_test()
        )
        if self._record.exists():
            self._record.check_same()
            return
        ours = {path.name for path in self._range_test() if is_range_test(path)}
        place.refuse_others(self.path, place.others(self.path, known=ours))

    def _directories(self):
        logs = self.csv_path.parent
        return [self.serving_path, self.checkpoint_path.parent, logs, self.tensorboard_path]

    def _files(self):
        last = self.checkpoint_path, self.checkpoint_path.with_name("previous.npz")
        best = self.best_path, self.best_path.with_suffix(".txt")
        return [self.model_path, *last, *best, self.csv_path, self.layers_path]

    def _range_test(self):
        return [self.path / name for name in RANGE_TEST_FILES]

    def begin(self) -> None:
        """Takes the directory for this process and stores the settings, unless a run began.

        Raises:
            InputError: another process was quicker.
        """
        place.make_directory(self.path)
        lock.acquire(self.path)
        # Another process may have begun or finished a run since this one looked.
        self._check_content()
        directories = [self.path, *self._directories()]
        for directory in directories:
            whole_files.remove_leftovers(directory)
        self._record.write()
        for directory in (self.checkpoint_path.parent, self.csv_path.parent):
            place.make_directory(directory)

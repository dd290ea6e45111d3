"""The test accuracy that train.py noted in an export, and whether the export still reaches it."""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from robust_keras.findings import Finding, check_names, fields
from robust_keras.findings.audit_check import AuditCheck, not_applicable, percent
from robust_keras.proportions import clearly_above, wilson
from robust_keras.serving import export_notes

_FILE = "accuracy.json"
_SURE = 1e-3


@dataclasses.dataclass(frozen=True)
class TrainingNote(Finding):
    """What train.py measured on the model that it exported."""

    dataset: str = fields.text("last part of the data set's name, as on the command line")
    split: str = fields.text("the split of it")
    examples: int = fields.positive_count("number of images")
    correct: int = fields.count("how many of them were classified correctly")

    def check_together(self) -> None:
        """No more images can be right than there are."""
        if self.correct > self.examples:
            raise ValueError(f"`correct` must be at most {self.examples}. Received: {self.correct}")

    def is_about(self, dataset: str, split: str) -> bool:
        """Whether it was measured on this split of the data set of this name."""
        return (self.dataset, self.split) == (_short(dataset), split)


def accuracy_note(dataset: str, accuracy: float, examples: int) -> dict[str, Any]:
    """What `serving.export` takes as a note on the accuracy that train.py measured.

    Args:
        dataset: the data set, as on the command line; only the last part of a path is kept.
        accuracy: fraction of its test images that are classified correctly.
        examples: number of these images, at least 1.
    """
    note = TrainingNote(_short(dataset), "test", int(examples), round(accuracy * examples))
    return {_FILE: note.plain()}


def read_training_note(saved_model: str | pathlib.Path) -> TrainingNote | None:
    """The `TrainingNote` in a SavedModel, or None where there is none, or not the one written.

    Args:
        saved_model: the SavedModel's directory, or a file, in which there is none.
    """
    try:
        return TrainingNote.from_plain(export_notes.read(saved_model, _FILE))
    # A stranger's SavedModel may have a file of that name and any content.
    except ValueError:
        return None


def accuracy_in_training(
    note: TrainingNote | None, dataset: str, split: str, clean_correct: np.ndarray
) -> AuditCheck:
    """Whether the model still classifies as well as when it was exported.

    Args:
        note: `TrainingNote` or None.
        dataset: the data set that is evaluated, as on the command line.
        split: the split of it.
        clean_correct: bool array (images,).

    Returns:
        An `AuditCheck`: failed where so many errors are hardly possible (exact test at 0.1 %) even
        for the lower end of the 95 % interval of the accuracy noted, so that both numbers of images
        count.
    """
    name = check_names.ACCURACY_IN_TRAINING
    if note is None:
        return not_applicable(name, "the model carries no accuracy that train.py measured")
    before = percent(note.correct / note.examples)
    if not note.is_about(dataset, split):
        return not_applicable(
            name, f"train.py measured {before} on {note.dataset} ({note.split}), on other images"
        )
    errors, images = int((~clean_correct).sum()), len(clean_correct)
    low, high = wilson(note.correct, note.examples)
    evidence = {
        "images": images,
        "accuracy": 1.0 - errors / images,
        "images_in_training": note.examples,
        "interval_in_training": [low, high],
    }
    if not clearly_above(errors, images, 1.0 - low, _SURE):
        message = f"train.py measured {before} on this data set, and these images do not deny it."
        return AuditCheck(name, True, message, evidence)
    now = percent(1.0 - errors / images)
    message = (
        f"train.py measured {before} on {note.dataset} ({note.split}); here the model is right on "
        f"{now}. The images, their pixels or the order of their classes are not those it was "
        "tested on, or the model's files were changed."
    )
    return AuditCheck(name, False, message, evidence)


def _short(dataset):
    return pathlib.PurePath(dataset).name

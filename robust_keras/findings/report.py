"""The report: one plain value that everything shown is made from, to and from JSON."""

import dataclasses
import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping as Dictionary
from typing import Any

import robust_keras
from robust_keras.errors import InputError
from robust_keras.findings import fields, outcomes, strict_json
from robust_keras.findings.comparison import ComparisonReport, compare
from robust_keras.findings.dataset import DatasetReport, ThreatModelReport
from robust_keras.findings.finding import Extensions, Finding, Part, derived, field
from robust_keras.findings.kinds import Kind, Number, OrNone, Text
from robust_keras.findings.model import ModelReport
from robust_keras.findings.transfer import TransferReport
from robust_keras.proportions import wilson

SCHEMA = 2
# Older reports miss what has a default.
READABLE = (1, 2)
SCHEMA_MEANING = (
    "version of this format, 2. A change that a reader could trip over raises it. Reports of "
    "schema 1 can be read: they have no `verdict`, `before_audit`, `kind` and `result`, and said "
    "`passed: true` of checks that were not made"
)
_LONGEST_ERROR = 300

# The distributions that can change a number, and the package itself.
DISTRIBUTIONS = (
    "tensorflow",
    "keras",
    "cleverhans",
    "tensorflow-model-optimization",
    "numpy",
    "robust_keras",
)


def timestamp() -> str:
    """Gives the time now, ISO 8601, UTC, to the second, as in `2026-11-21T10:55:00Z`."""
    now = datetime.datetime.now(datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def installed_versions() -> dict[str, str | None]:
    """Gives the version of Python and of every distribution that can change a number."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            # A checkout that was never installed still knows its own version.
            versions[name] = robust_keras.__version__ if name == "robust_keras" else None
    return versions


class Moment(Kind):
    """A time in UTC, ISO 8601."""

    def __init__(self):
        super().__init__("string", {"type": "string", "format": "date-time"})

    def checked(self, name: str, value: Any) -> Any:
        try:
            moment = datetime.datetime.fromisoformat(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"`{name}` must be ISO 8601. Received: {name}={value!r}") from error
        if moment.utcoffset() != datetime.timedelta(0):
            raise ValueError(f"`{name}` must be in UTC. Received: {name}={value!r}")
        return value


class Temperature(Number):
    """A number above 0, or `removed`."""

    def __init__(self):
        super().__init__()
        self.words = "number > 0 or `removed`"
        positive = {"type": "number", "exclusiveMinimum": 0}
        self.schema = {"anyOf": [positive, {"const": "removed"}]}

    def checked(self, name: str, value: Any) -> Any:
        if isinstance(value, str) and value == "removed":
            return value
        temperature = super().checked(name, value)
        if not temperature:
            raise ValueError(f"`{name}` must be above 0. Received: 0")
        return temperature


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report(Finding):
    """What was evaluated, against which attacker, and what came out."""

    created: str = field(
        Moment(),
        "when the report was made: ISO 8601, UTC, as in `2026-11-21T10:55:00Z`",
        default_factory=timestamp,
        given=True,
    )
    command: str = field(
        Text(empty=True),
        "the command that made the report; empty if it was made from Python",
        default="",
    )
    versions: Dictionary = fields.mapping(
        "version of `python`, `tensorflow`, `keras`, `cleverhans`, "
        "`tensorflow-model-optimization`, `numpy` and `robust_keras`; null where one is not "
        "installed",
        default_factory=installed_versions,
        given=True,
    )
    seed: int = fields.count("seed of every random number of the evaluation")
    attacker_temperature: float | str = field(
        Temperature(),
        "the attacker divides the models' logits by it (`--attacker_temperature`); `removed`: each "
        "image's by their standard deviation",
        default=1.0,
    )
    expectation_samples: int = fields.positive_count(
        "passes whose mean logits are one answer of a model that is random "
        "(`--expectation_samples`); others take one",
        default=1,
    )
    survivors_only: bool = fields.boolean(
        "`--survivors_only`: each attack met only the images that those above it had left, and its "
        "`accuracy` is what was left after it",
        default=False,
    )
    dataset: DatasetReport = fields.part(DatasetReport, "the images")
    threat_model: ThreatModelReport = fields.part(ThreatModelReport, "what the attacker may do")
    models: tuple[ModelReport, ...] = fields.parts(
        ModelReport, least=1, meaning="one object a model, each with another `path`"
    )
    transfer: TransferReport | None = fields.part(
        TransferReport,
        "attacks made on one model and tried on another; null where that was not done",
    )
    resolved_settings: Dictionary = fields.mapping(
        "every setting of the evaluation that decides results, defaults included, and the batch "
        "size; empty in an older report",
        default_factory=dict,
    )
    hardware: Dictionary = fields.mapping(
        "`machine`, `processor`, `cores` and `accelerators` that it ran on; empty if unknown",
        default_factory=dict,
    )
    commit: str | None = fields.text(
        "git commit of the code, followed by `-dirty` where files differ from it; null outside a "
        "checkout"
    )
    joined: tuple[str, ...] = fields.texts(
        "where `robust-keras-report join` made it: what was joined, a sentence each"
    )
    extensions: Dictionary = field(
        Extensions("report"), "what registered sections found, by name", default_factory=dict
    )

    def check_together(self) -> None:
        if len({model.path for model in self.models}) < len(self.models):
            raise ValueError(
                "`models` must hold at least one model, each with another path. "
                f"Received: {[model.path for model in self.models]}"
            )
        for model in self.models:
            self._check_model(model)
        if self.transfer is not None:
            self.transfer.check_models(self.models)

    def _check_model(self, model):
        if model.worst_case.epsilons != self.threat_model.epsilons:
            raise ValueError(
                f"{model.path}: epsilons must be {self.threat_model.epsilons}. "
                f"Received: {model.worst_case.epsilons}"
            )
        self._check_outcomes(model)
        measured = [model.clean_accuracy, *model.worst_case.accuracy]
        measured += model.worst_case.before_audit
        measured += [value for attack in model.attacks for value in attack.accuracy]
        if model.rejection is not None:
            measured += [model.rejection.clean_accuracy, *model.rejection.accuracy]
        for accuracy in measured:
            # Float32 means of up to 100,000 images are this close to a whole number of images.
            if abs(accuracy * self.dataset.examples - self.count(accuracy)) > 0.01:
                raise ValueError(
                    f"{model.path}: an accuracy must be a whole number of images over "
                    f"{self.dataset.examples}. Received: {accuracy}"
                )

    def _check_outcomes(self, model):
        survived = outcomes.survived(model, self.dataset.examples)
        if survived is None:
            return
        counts = [self.count(accuracy) for accuracy in model.worst_case.accuracy]
        if survived.sum(axis=1).tolist() != counts:
            raise ValueError(
                f"{model.path}: `outcomes` must be those of the worst case, {counts} images. "
                f"Received: {survived.sum(axis=1).tolist()}"
            )

    @property
    @derived(
        OrNone(Part(ComparisonReport)),
        "which model is better and whether the images suffice to say so; null for a single model "
        "and where the `outcomes` of one are unknown",
    )
    def comparison(self) -> ComparisonReport | None:
        believed = {m.path: m for m in self.models if m.verdict != "unreliable"}
        survived = {
            path: outcomes.survived(m, self.dataset.examples) for path, m in believed.items()
        }
        known = {path: robust for path, robust in survived.items() if robust is not None}
        if len(self.models) < 2 or len(known) < len(survived):
            return None
        left_out = tuple(model.path for model in self.models if model.path not in known)
        return compare(known, left_out, self.threat_model.epsilons)

    def count(self, accuracy: float) -> int:
        """Gives the number of images that a fraction stands for."""
        return round(accuracy * self.dataset.examples)

    def interval(self, accuracy: float) -> tuple[float, float]:
        """Gives the 95 % Wilson interval `(low, high)` of a fraction of the images."""
        return wilson(self.count(accuracy), self.dataset.examples)

    def to_json(self) -> str:
        """Gives the report as strict JSON text; the same report always gives the same text."""
        value = {"schema": SCHEMA} | self.plain(self)
        return json.dumps(value, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, content: str) -> "Report":
        """Makes a report of JSON text; unknown and derived fields are left aside.

        Raises:
            InputError: the text is no strict JSON, of another schema, misses a field, or its parts
                do not fit together; one line.
        """
        try:
            made = cls.from_plain(strict_json.parse(content))
            # What is derived from the parts must come out as well.
            made.to_json()
        # A damaged value can be of any type wherever another was meant.
        except Exception as error:
            raise InputError(_one_line(error)) from error
        return made

    @classmethod
    def upgraded(cls, value: dict) -> dict:
        schema = value.get("schema")
        if schema not in READABLE or isinstance(schema, bool):
            raise ValueError(f"`schema` must be {SCHEMA}. Received: schema={schema!r}")
        return value

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> "Report":
        """Makes a report of a `report.json`.

        Raises:
            InputError: the file cannot be read or is damaged; one line that says what to do.
        """
        try:
            return cls.from_json(strict_json.read_text(path))
        except ValueError as error:
            raise InputError.expected(
                str(path),
                "a report.json as evaluate.py writes it (take an undamaged copy, or evaluate "
                "again into another directory)",
                str(error),
            ) from error


def _one_line(error):
    text = " ".join(str(error).split())
    if isinstance(error, json.JSONDecodeError):
        text = f"a report must be JSON. Received: {text}"
    elif not isinstance(error, ValueError):
        text = f"a report must hold values of the documented types. Received: {text}"
    return text if len(text) <= _LONGEST_ERROR else text[:_LONGEST_ERROR] + "..."

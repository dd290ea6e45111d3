"""The report: one plain value that everything shown is made from, to and from JSON."""

import dataclasses
import datetime
import importlib.metadata
import json
import platform
from collections.abc import Mapping

import robust_keras
from robust_keras.errors import InputError
from robust_keras.proportions import wilson
from robust_keras.reporting import parts, reading, strict_json, validation
from robust_keras.reporting.model_report import ModelReport
from robust_keras.reporting.transfer_report import TransferReport

SCHEMA = 2
# Older reports miss what has a default.
READABLE = (1, 2)
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


def timestamp():
    """Gives the time now, ISO 8601, UTC, to the second, as in `2026-11-21T10:55:00Z`."""
    now = datetime.datetime.now(datetime.UTC)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def installed_versions():
    """Gives the version of Python and of every distribution that can change a number."""
    versions = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            # A checkout that was never installed still knows its own version.
            versions[name] = robust_keras.__version__ if name == "robust_keras" else None
    return versions


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """What was evaluated, against which attacker, and what came out.

    Args:
        dataset: `DatasetReport`.
        threat_model: `ThreatModelReport`.
        models: `ModelReport`s, at least one, each with another path.
        seed: seed of every random number of the evaluation, at least 0.
        attacker_temperature: above 0; the attacker divides the models' logits by it. Or "removed":
            by their standard deviation.
        expectation_samples: passes, at least 1, whose mean is one answer of a random model.
        survivors_only: whether each attack met only the images that those above it had left; its
            accuracy is then what was left so far.
        command: the command that made the report; "" if it was made from Python.
        created: ISO 8601 time in UTC; now, if not given.
        versions: version of each program that can change a number; by default those installed.
        transfer: `TransferReport`, or None.

    Raises:
        ValueError: if a part is out of its range or two parts do not fit together.
    """

    dataset: parts.DatasetReport
    threat_model: parts.ThreatModelReport
    models: tuple[ModelReport, ...]
    seed: int
    attacker_temperature: float | str = 1.0
    expectation_samples: int = 1
    survivors_only: bool = False
    command: str = ""
    created: str = dataclasses.field(default_factory=timestamp)
    versions: Mapping = dataclasses.field(default_factory=installed_versions)
    transfer: TransferReport | None = None

    def __post_init__(self):
        """Checks every field, then that they agree with each other."""
        validation.members("dataset", (self.dataset,), parts.DatasetReport)
        validation.members("threat_model", (self.threat_model,), parts.ThreatModelReport)
        models = validation.members("models", self.models, ModelReport)
        if not models or len({model.path for model in models}) < len(models):
            raise ValueError(
                "`models` must hold at least one model, each with another path. "
                f"Received: {[model.path for model in models]}"
            )
        for model in models:
            self._check_model(model)
        if not isinstance(self.command, str):
            raise ValueError(f"`command` must be a string. Received: command={self.command!r}")
        _check_created(self.created)
        parts.store(
            self,
            models=models,
            seed=validation.integer("seed", self.seed),
            attacker_temperature=_temperature(self.attacker_temperature),
            expectation_samples=validation.integer(
                "expectation_samples", self.expectation_samples, low=1
            ),
            survivors_only=validation.boolean("survivors_only", self.survivors_only),
            versions=validation.mapping("versions", self.versions),
        )
        if self.transfer is not None:
            validation.members("transfer", (self.transfer,), TransferReport)
            self.transfer.check_models(models)

    def _check_model(self, model):
        if model.worst_case.epsilons != self.threat_model.epsilons:
            raise ValueError(
                f"{model.path}: epsilons must be {self.threat_model.epsilons}. "
                f"Received: {model.worst_case.epsilons}"
            )
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

    def count(self, accuracy):
        """Gives the number of images that a fraction stands for."""
        return round(accuracy * self.dataset.examples)

    def interval(self, accuracy):
        """Gives the 95 % Wilson interval `(low, high)` of a fraction of the images."""
        return wilson(self.count(accuracy), self.dataset.examples)

    def to_json(self):
        """Gives the report as strict JSON text; the same report always gives the same text."""
        value = {
            "schema": SCHEMA,
            "created": self.created,
            "command": self.command,
            "versions": self.versions,
            "seed": self.seed,
            "attacker_temperature": self.attacker_temperature,
            "expectation_samples": self.expectation_samples,
            "survivors_only": self.survivors_only,
            "dataset": dataclasses.asdict(self.dataset),
            "threat_model": dataclasses.asdict(self.threat_model),
            "models": [self._model_value(model) for model in self.models],
            "transfer": self.transfer and dataclasses.asdict(self.transfer),
        }
        return json.dumps(value, indent=2, allow_nan=False) + "\n"

    def _model_value(self, model):
        value = dataclasses.asdict(model)
        value["clean_correct"] = self.count(model.clean_accuracy)
        value["clean_interval"] = self.interval(model.clean_accuracy)
        for scored in (*value["attacks"], value["worst_case"]):
            scored["correct"] = [self.count(a) for a in scored["accuracy"]]
            scored["interval"] = [self.interval(a) for a in scored["accuracy"]]
        for check, part in zip(value["audit"], model.audit, strict=True):
            check["result"] = part.result
        value["reliable"] = model.reliable
        value["verdict"] = model.verdict
        if model.unusual is not None:
            model.unusual.add_derived(value["unusual"])
        return value

    @classmethod
    def from_json(cls, content):
        """Makes a report of JSON text; unknown and derived fields are left aside.

        Raises:
            InputError: the text is no strict JSON, of another schema, misses a field, or its parts
                do not fit together; one line.
        """
        try:
            made = cls._parsed(content)
            # What is derived from the parts must come out as well.
            made.to_json()
        # A damaged value can be of any type wherever another was meant.
        except Exception as error:
            raise InputError(_one_line(error)) from error
        return made

    @classmethod
    def _parsed(cls, content):
        try:
            value = strict_json.parse(content)
        except json.JSONDecodeError as error:
            raise ValueError(f"a report must be JSON. Received: {error}") from error
        schema = value.get("schema") if isinstance(value, dict) else None
        if schema not in READABLE or isinstance(schema, bool):
            raise ValueError(f"`schema` must be {SCHEMA}. Received: schema={schema!r}")
        return reading.report(cls, value)

    @classmethod
    def read(cls, path):
        """Makes a report of a `report.json`.

        Raises:
            InputError: the file cannot be read or is damaged; one line that says what to do.
        """
        try:
            return cls.from_json(strict_json.read_text(path))
        except ValueError as error:
            raise InputError.expected(
                path,
                "a report.json as evaluate.py writes it (take an undamaged copy, or evaluate "
                "again into another directory)",
                str(error),
            ) from error


def _one_line(error):
    text = " ".join(str(error).split())
    if not isinstance(error, ValueError):
        text = f"a report must hold values of the documented types. Received: {text}"
    return text if len(text) <= _LONGEST_ERROR else text[:_LONGEST_ERROR] + "..."


def _temperature(value):
    if value == "removed":
        return value
    temperature = validation.number("attacker_temperature", value)
    if not temperature:
        raise ValueError("`attacker_temperature` must be above 0. Received: 0")
    return temperature


def _check_created(created):
    try:
        moment = datetime.datetime.fromisoformat(created)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`created` must be ISO 8601. Received: created={created!r}") from error
    if moment.utcoffset() != datetime.timedelta(0):
        raise ValueError(f"`created` must be in UTC. Received: created={created!r}")

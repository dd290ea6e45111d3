"""Reading of a report: from the plain values of JSON to its parts."""

import dataclasses

from robust_keras.reporting import parts
from robust_keras.reporting.example_report import ExampleReport
from robust_keras.reporting.minimal_report import ClassEpsilons, MinimalEpsilonReport
from robust_keras.reporting.model_report import ModelReport
from robust_keras.reporting.rejection_report import RejectionReport
from robust_keras.reporting.transfer_report import (
    SubstituteReport,
    TransferReport,
    TransferSource,
    TransferTarget,
)
from robust_keras.reporting.unusual_report import (
    FoolingImageReport,
    FoolingReport,
    SampleReport,
    StrengthReport,
    UnusualReport,
)


def report(kind, value):
    """Makes a report of what JSON gave.

    Args:
        kind: `Report`.
        value: the mapping; unknown and derived fields are left aside.

    Raises:
        ValueError: a field is missing or of another shape.
    """
    # Their defaults hold for a report that is being made, and would be untrue of one that is read.
    if missing := [name for name in ("created", "versions") if name not in value]:
        raise ValueError(f"a Report must have {missing}. Received: {sorted(value)}")
    made = {
        "dataset": _part(parts.DatasetReport, value.get("dataset")),
        "threat_model": _part(parts.ThreatModelReport, value.get("threat_model")),
        "models": [_model(item) for item in _items(value, "models")],
    }
    if value.get("transfer") is not None:
        sources = [_source(item) for item in _items(value["transfer"], "sources")]
        made["transfer"] = _part(TransferReport, value["transfer"], sources=sources)
    return _part(kind, value, **made)


def _source(value):
    made = {"targets": [_part(TransferTarget, item) for item in _items(value, "targets")]}
    if isinstance(value, dict) and value.get("substitute") is not None:
        made["substitute"] = _part(SubstituteReport, value["substitute"])
    return _part(TransferSource, value, **made)


def _model(value):
    made = {
        "attacks": [_part(parts.AttackReport, item) for item in _items(value, "attacks")],
        "audit": [_part(parts.AuditReport, _check(item)) for item in _items(value, "audit")],
        "examples": [_part(ExampleReport, item) for item in _items(value, "examples", [])],
        "layers": [_part(parts.LayerReport, item) for item in _items(value, "layers", [])],
        "worst_case": _part(parts.WorstCaseReport, value.get("worst_case")),
    }
    if value.get("rejection") is not None:
        made["rejection"] = _part(RejectionReport, value["rejection"])
    if value.get("unusual") is not None:
        made["unusual"] = _unusual(value["unusual"])
    if value.get("minimal_epsilon") is not None:
        classes = [_part(ClassEpsilons, c) for c in _items(value["minimal_epsilon"], "classes")]
        made["minimal_epsilon"] = _part(
            MinimalEpsilonReport, value["minimal_epsilon"], classes=classes
        )
    return _part(ModelReport, value, **made)


def _check(value):
    """A check of the audit; what did not apply was said to have passed in schema 1."""
    if isinstance(value, dict) and value.get("evidence") == {"applicable": False}:
        return value | {"passed": None}
    return value


def _unusual(value):
    samples = [
        _part(
            SampleReport,
            item,
            strengths=[_part(StrengthReport, part) for part in _items(item, "strengths")],
        )
        for item in _items(value, "samples")
    ]
    fooling = [
        _part(
            FoolingReport,
            item,
            images=[_part(FoolingImageReport, part) for part in _items(item, "images")],
        )
        for item in _items(value, "fooling")
    ]
    return UnusualReport(samples=samples, fooling=fooling)


def _items(value, name, default=None):
    items = value.get(name, default) if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise ValueError(f"`{name}` must be a list. Received: {items!r}")
    return items


def _part(kind, value, **made):
    if not isinstance(value, dict):
        raise ValueError(f"a {kind.__name__} must be a mapping. Received: {value!r}")
    fields = {field.name for field in dataclasses.fields(kind)}
    given = {name: item for name, item in value.items() if name in fields} | made
    required = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if missing := sorted(required - set(given)):
        raise ValueError(f"a {kind.__name__} must have {missing}. Received: {sorted(given)}")
    return kind(**given)

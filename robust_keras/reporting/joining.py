"""Reports of the same images and the same attacker as one, so that their models can be compared."""

import dataclasses
from collections.abc import Mapping

from robust_keras.errors import InputError
from robust_keras.findings import Report
from robust_keras.reporting import wording

# What must be the same for numbers to stand beside each other.
_SAME = (
    ("dataset", "name", "the same data set"),
    ("dataset", "split", "the same split"),
    ("dataset", "examples", "as many images"),
    ("dataset", "fingerprint", "the same images and labels"),
    ("dataset", "class_names", "the same names of the classes"),
    ("dataset", "nonsense", "the same --nonsense"),
    ("", "survivors_only", "the same --survivors_only"),
    ("", "attacker_temperature", "the same --attacker_temperature"),
    ("", "expectation_samples", "the same --expectation_samples"),
    ("threat_model", "norm", "the same norm"),
    ("threat_model", "epsilons", "the same epsilons"),
    ("threat_model", "bounds", "the same pixel bounds"),
    ("threat_model", "target_class", "the same target class"),
)


# What is told of the machine and the settings is kept as far as it is the same.
_OF_ALL = ("versions", "resolved_settings", "hardware")


def joined(reports: Mapping[str, Report]) -> Report:
    """Gives one report of the models of several.

    What was asked of them may differ, as their attacks do: that stands in each model's part, and
    the field `joined` tells the command, the seed and the version of each. A transfer between
    models is left out, since it is not known for all of them, and so is what differs of versions,
    settings, machine and commit.

    Args:
        reports: path of each -> `Report`, at least two.

    Raises:
        InputError: two are not about the same images under the same attacker, or hold the same
            model; one line that says where they differ.
    """
    (name, first), *others = reports.items()
    for other_name, other in others:
        _check(name, first, other_name, other)
    models = [model for report in reports.values() for model in report.models]
    paths = [model.path for model in models]
    twice = [path for path in dict.fromkeys(paths) if paths.count(path) > 1]
    if twice:
        raise InputError.expected("reports", "each model in one of them", f"{twice[0]} in two")
    return dataclasses.replace(
        first,
        created=max(report.created for report in reports.values()),
        models=tuple(models),
        transfer=None,
        extensions={},
        command="",
        commit=first.commit if all(r.commit == first.commit for r in reports.values()) else None,
        **{part: _shared(reports.values(), part) for part in _OF_ALL},
        joined=tuple(_notes(reports)),
    )


def _check(name, first, other_name, other):
    for part, field, words in _SAME:
        owners = [getattr(report, part) if part else report for report in (first, other)]
        values = [getattr(owner, field) for owner in owners]
        if values[0] != values[1]:
            shown = [_shown(value) for value in values]
            raise InputError.expected(
                f"{name} and {other_name}", words, f"{shown[0]} and {shown[1]} ({field})"
            )


def _shared(reports, part):
    """The entries of a mapping that all reports have, and have alike."""
    first, *others = (getattr(report, part) for report in reports)
    absent = object()
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name, absent) == value for other in others)
    }


def _shown(value):
    value = getattr(value, "name", value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _notes(reports):
    for name, report in reports.items():
        models = wording.listed(wording.display_names(report.models))
        how = f"seed {report.seed}, robust_keras {report.versions.get('robust_keras')}"
        command = f", {report.command}" if report.command else ""
        yield f"{wording.visible(name)}: {models}; {how}{command}"

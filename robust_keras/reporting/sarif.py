"""What the audit found, as code scanning reads it: SARIF 2.1.0 (OASIS, 2020)."""

import hashlib
import json
import urllib.parse
from typing import Any

from robust_keras.findings import ModelReport, Report
from robust_keras.reporting import wording
from robust_keras.reporting.verdict import verdict

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"quotable": "note", "preliminary": "warning", "unreliable": "error"}


def sarif(report: Report) -> str:
    """Gives the text of a SARIF file: one result a failed check and one a verdict.

    A check that failed is an error, or a warning where the audit's own attacks went around it. The
    verdict on a model is an error where its number is not to be believed, a warning where it is
    preliminary, else a note.
    """
    results = [result for model in report.models for result in _results(report, model)]
    driver = {
        "name": "robust_keras",
        "version": report.versions.get("robust_keras") or "unknown",
        "rules": [_rule(identifier) for identifier in dict.fromkeys(r["ruleId"] for r in results)],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _results(report: Report, model: ModelReport):
    found = verdict(report, model)
    text = f"{wording.plain(found.headline)} {found.level}"
    yield _result(
        model, "verdict", _LEVELS[found.level], f"{text}: {found.short}" if found.short else text
    )
    for check in model.failed:
        level = "warning" if check.check in model.settled else "error"
        yield _result(model, check.check, level, check.message)


def _result(model: ModelReport, rule: str, level: str, text: str) -> dict[str, Any]:
    uri = urllib.parse.quote(model.path, errors="backslashreplace")
    mark = hashlib.sha256(f"{model.path}\n{rule}".encode("utf-8", "backslashreplace")).hexdigest()
    return {
        "ruleId": _identifier(rule),
        "level": level,
        "message": {"text": wording.visible(text)},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}}}],
        "partialFingerprints": {"modelAndCheck/v1": mark},
    }


def _identifier(rule):
    return "-".join(wording.visible(rule).lower().split())


def _rule(identifier):
    words = identifier.replace("-", " ")
    return {"id": identifier, "shortDescription": {"text": f"The audit of robustness: {words}"}}

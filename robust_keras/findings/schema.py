"""The JSON Schema of `report.json`, made of the fields of the findings."""

import dataclasses
from collections.abc import Iterator

from robust_keras.findings import extensions
from robust_keras.findings.finding import (
    Extensions,
    Finding,
    derived_members,
    has_default,
    summary,
    told,
    written,
)
from robust_keras.findings.kinds import Kind
from robust_keras.findings.report import READABLE, SCHEMA_MEANING, Report


def schema() -> dict:
    """Gives the schema of a whole report, as plain values; draft 2020-12."""
    whole = _object(Report)
    whole["properties"] = {
        "schema": {"enum": list(READABLE), "description": SCHEMA_MEANING},
        **whole["properties"],
    }
    whole["required"].insert(0, "schema")
    parts = {part.__name__: _object(part) for part in every(Report) if part is not Report}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "report.json"}
    return head | whole | {"$defs": parts}


def every(finding: type[Finding]) -> list[type[Finding]]:
    """Gives a finding and all that are part of it, each once, in the order of their fields."""
    found = [finding]
    for each in dataclasses.fields(finding):
        kind = each.metadata["kind"]
        parts = [kind.finding] if kind.finding else []
        if isinstance(kind, Extensions):
            parts = list(extensions.registered(kind.place).values())
        found += [part for below in parts for part in every(below)]
    for _, member in derived_members(finding):
        if part := told(member)["kind"].finding:
            found += every(part)
    return list(dict.fromkeys(found))


def rows(finding: type[Finding]) -> Iterator[tuple[str, Kind, str, bool]]:
    """Gives what is known of each field: name, kind, meaning, whether it is derived.

    What was registered for a place of the finding stands among its fields.
    """
    for each in dataclasses.fields(finding):
        kind, meaning = each.metadata["kind"], each.metadata["meaning"]
        if not isinstance(kind, Extensions):
            yield written(each.name), kind, meaning, False
            continue
        for name, part in extensions.registered(kind.place).items():
            yield name, kind.of(part), summary(part), False
    for name, member in derived_members(finding):
        yield name, told(member)["kind"], told(member)["meaning"], True


def _object(finding):
    properties = {
        name: kind.schema | {"description": meaning} | ({"readOnly": True} if derived else {})
        for name, kind, meaning, derived in rows(finding)
    }
    required = [
        written(each.name)
        for each in dataclasses.fields(finding)
        if each.metadata["given"] or not has_default(each)
    ]
    return {
        "type": "object",
        "description": summary(finding),
        "properties": properties,
        "required": required,
    }

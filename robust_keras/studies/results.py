"""Everything a study found, as one value for `docs/studies/NAME.json`; pages know no other."""

import dataclasses
import json
from typing import Any

from robust_keras.studies import running, verdicts
from robust_keras.studies.known import Known
from robust_keras.studies.study import Make, Study, Table, kind


def results(study: Study, form: str, known: Known) -> dict[str, Any]:
    """What the finished runs say, the same in whatever pieces they were run.

    Args:
        study: the declaration.
        form: `smoke`, `small` or `full`.
        known: what is known of its steps.
    """
    seen = verdicts.all_seen(known, study.seeds)
    chosen = study.forms[form]
    tables = [
        {"title": each.title, **_models(each, study, chosen, seen)[0]} for each in study.tables
    ]
    table, longer = _models(study, study, chosen, seen)
    return {
        "name": study.name,
        "title": study.title,
        "source": study.source,
        "form": form,
        "runs": [_run(step, chosen, known) for step in study.steps[: chosen.steps]],
        "claims": [verdicts.judged(claim, seen) for claim in study.claims],
        "table": {**table, **({"longer": longer} if longer else {})},
        "figure": _figure(study.figure, seen),
        **({"curves": [_figure(one, seen) for one in study.curves]} if study.curves else {}),
        **({"tables": tables} if tables else {}),
    }


def text(found: dict[str, Any]) -> str:
    """The same as JSON."""
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _run(step, form, known):
    given = () if isinstance(step, Make) else running.flags(step, form, "RUNS", None)
    told = {"kind": kind(step), "name": step.name, "flags": list(given)}
    return {**told, "done": known.has(step)}


def _models(of, study, form, seen):
    """(A table without the models that only a longer form runs, the names of these)."""
    ours, every = (
        {step.name.rpartition("-")[0] for step in steps}
        for steps in (study.steps[: form.steps], study.steps)
    )
    later = [row for row in of.rows if row[1] in every - ours]
    rows = tuple(row for row in of.rows if row not in later)
    return _table(dataclasses.replace(of, rows=rows), seen), [label for label, _ in later]


def _table(of: Study | Table, seen):
    rows = [
        {
            "label": label,
            "cells": [verdicts.measured(column(model), seen) for _, column in of.columns],
        }
        for label, model in of.rows
    ]
    return {"headings": [heading for heading, _ in of.columns], "rows": rows}


def _figure(figure, seen):
    lines = [
        {
            "label": label,
            "found": [verdicts.measured(line(place), seen) for place in figure.places],
        }
        for label, line in figure.lines
    ]
    return {
        "title": figure.title,
        "across": figure.across,
        "up": figure.up,
        "places": list(figure.places),
        "ticks": list(figure.ticks),
        **({"colours": figure.colours} if figure.colours else {}),
        **({"signed": True} if figure.signed else {}),
        "lines": lines,
    }

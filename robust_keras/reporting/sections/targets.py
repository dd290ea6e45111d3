"""Which class can be made of which, where every class was wanted in turn."""

import functools
from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, grid, target_grid, wording
from robust_keras.reporting.section import Section, named_lines, part
from robust_keras.reporting.sections.classes import MOST_COLUMNS, shaded


class Targets(Section):
    """A heat map and pictures of sources by targets, and a line in the terminal."""

    template = part("targets.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        targets, names = model.targets, report.dataset.class_names
        if targets is None:
            return None
        small = len(targets.attacked) <= MOST_COLUMNS
        rows = zip(targets.moved, targets.attacked, strict=True)
        return {
            "sentence": _sentence(report, targets),
            "answers": [grid.class_name(c, names) for c in range(len(targets.attacked))],
            "cells": [shaded(*row) for row in rows] if small else [],
            "epsilon": wording.epsilon(targets.epsilon),
            "drawn": [_shown(report, targets)] if targets.pictures else [],
        }

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if model.targets and model.targets.pictures:
            yield "targets", _drawn(report, model.targets)(title=f"Classes made of classes: {name}")

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return f"{name}, {wording.images_of(report)}: {_words(model.targets)}"

    def lines(self, report: Report) -> list[str]:
        return named_lines(
            report, lambda model: [_sentence(report, model.targets)] if model.targets else []
        )


def _drawn(report, targets):
    return functools.partial(target_grid.draw, targets, class_names=report.dataset.class_names)


def _shown(report, targets):
    return {"drawing": figures.on_page(_drawn(report, targets)), "words": _words(targets)}


def _words(targets):
    return (
        "A row holds the first image of its class that is right without attack: on the diagonal as "
        "it is, in each column as an attack that wanted the column's class changed it, within "
        f"epsilon {wording.epsilon(targets.epsilon)}, and the model's confidence in that answer, "
        "rounded down. Where nothing stands no attack moved this image there."
    )


def _sentence(report, targets):
    """How much can be moved where, and the easiest pair."""
    names = report.dataset.class_names
    shares = {
        (source, target): count / max(targets.attacked[source], 1)
        for source, row in enumerate(targets.moved)
        for target, count in enumerate(row)
        if source != target and targets.attacked[source]
    }
    if not shares:
        return "No image is classified correctly, so none was moved."
    source, target = max(shares, key=lambda pair: shares[pair])
    mean = wording.percent(sum(shares.values()) / len(shares))
    return (
        f"At epsilon {wording.epsilon(targets.epsilon)} {mean} of a class can be moved to another "
        f"on average, most from {grid.class_name(source, names)} to "
        f"{grid.class_name(target, names)} ({wording.percent(shares[source, target])})."
    )

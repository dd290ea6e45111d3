"""Which classes hold out, for what the others are taken, and the curve as one number."""

from collections.abc import Iterator, Sequence
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import grid, wording
from robust_keras.reporting.section import MORE_IS_BETTER, Section, named_lines, part
from robust_keras.reporting.table import Table

# A table of more columns is not shown, and one of more rows is folded away.
MOST_COLUMNS, _MOST_ROWS = 24, 12
# Shades of a cell, from none of its row's images to all.
_SHADES = 8


class Classes(Section):
    """A heat map of classes by answers, a row a class, and a line in the terminal."""

    template = part("classes.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if not (model.per_class and model.attacked):
            return None
        names = report.dataset.class_names
        small = bool(model.confusion) and model.num_classes <= MOST_COLUMNS
        return {
            "sentences": _sentences(report, model),
            "answers": [grid.class_name(c, names) for c in range(model.num_classes)],
            "cells": [shaded(row, sum(row)) for row in model.confusion] if small else [],
            "epsilon": wording.epsilon(report.threat_model.epsilons[-1]),
            "folded": len(model.per_class) > _MOST_ROWS,
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.per_class and model.attacked:
            yield "classes", _table(report, model, name)

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if model.measured:
            yield f"Accuracy, mean over epsilons {MORE_IS_BETTER}", wording.percent(model.area)

    def lines(self, report: Report) -> list[str]:
        return named_lines(
            report,
            lambda model: (
                [" ".join(_sentences(report, model)[:2])]
                if model.per_class and model.measured
                else []
            ),
        )


def shaded(row: Sequence[int], images: int) -> list[tuple[int, int]]:
    """Gives each number of a row with its shade, by its share of so many images."""
    return [(count, round(_SHADES * count / max(images, 1))) for count in row]


def _table(report, model, name):
    names = report.dataset.class_names
    epsilons = (f"epsilon\n{wording.epsilon(value)}" for value in report.threat_model.epsilons)
    rows = [
        (
            grid.class_name(found.class_, names),
            wording.count(found.examples),
            *map(wording.percent, (found.clean, *found.robust)),
        )
        for found in model.per_class
    ]
    return Table(
        caption=f"Accuracy of {name} by class on {wording.images_of(report)}, "
        f"{report.threat_model.norm}",
        columns=("Class", "Images", "No attack", *epsilons),
        rows=tuple(rows),
    )


def _sentences(report, model):
    """What holds out least and most, the mean over epsilons, and the five likeliest classes."""
    epsilon = wording.epsilon(report.threat_model.epsilons[-1])
    sentences = [_extremes(report, model, epsilon)] if len(model.per_class) > 1 else []
    low, high = (wording.percent(value) for value in model.area_limits)
    sentences.append(
        f"Over all epsilons up to {epsilon} accuracy is {wording.percent(model.area)} on average "
        f"({low} to {high}, by how the curve runs between the points)."
    )
    if model.top_five is not None:
        sentences.append(
            f"The label is among the five likeliest classes of "
            f"{wording.percent(model.top_five.clean)} of the images; of at most "
            f"{wording.percent(model.top_five.robust[-1])} under these attacks, which do not aim "
            "at that."
        )
    return sentences


def _extremes(report, model, epsilon):
    classes = sorted(model.per_class, key=lambda c: (c.robust[-1], c.class_))
    least, most = classes[0], classes[-1]
    names = report.dataset.class_names
    told = [
        f"{grid.class_name(c.class_, names)} ({wording.percent(c.robust[-1])} of "
        f"{wording.plural(c.examples, 'image')})"
        for c in (least, most)
    ]
    if not most.robust[-1]:
        return f"No image of any class holds out at epsilon {epsilon}."
    if least.robust[-1] == most.robust[-1]:
        return f"Of every class {wording.percent(least.robust[-1])} hold out at epsilon {epsilon}."
    return f"At epsilon {epsilon} class {told[0]} holds out least and class {told[1]} most."

"""The adversarial examples that a report shows, and the pictures that it keeps of them."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from robust_keras.findings import ExampleReport, Report
from robust_keras.reporting import grid


def with_examples(report: Report, examples: Mapping[str, Any]) -> Report:
    """Gives the report with the examples that are shown, and three pictures of each.

    Args:
        report: `Report`.
        examples: mapping from a model's path to its adversarial examples, which have `image` and
            `adversarial` of shape (h, w, channels) in [0, 1] and the fields of `ExampleReport`; a
            model that is not in it keeps what it has.
    """
    models = tuple(
        dataclasses.replace(model, examples=tuple(kept(examples[model.path])))
        if model.path in examples
        else model
        for model in report.models
    )
    return dataclasses.replace(report, models=models)


def kept(examples: Iterable[Any]) -> list[ExampleReport]:
    """Gives `ExampleReport`s of up to `grid.MOST_SHOWN` examples, all amplified alike."""
    shown = list(examples)[: grid.MOST_SHOWN]
    if not shown:
        return []
    amplification = grid.factor(shown)
    return [
        ExampleReport.of(example, amplification, grid.pictures(example, amplification))
        for example in shown
    ]

"""What a section of the report is: its place on the page, its figures, its lines in a terminal."""

import pathlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from robust_keras.findings import ModelReport, Report
from robust_keras.findings.finding import Finding
from robust_keras.reporting import wording
from robust_keras.reporting.table import Table

# Which way the measure of a model is better, where it has one.
MORE_IS_BETTER, LESS_IS_BETTER = "(more is better)", "(less is better)"
_FOLDER = pathlib.Path(__file__).parent / "sections"


class Section:
    """One section. A subclass says what it is about and defines as much as it has.

    A table of numbers is a `Table` that `tables` gives; its template shows it by
    `{% from 'macros.html' import numbers %}` and `{{ numbers(tables.name) }}`.

    A section of its own, see `sections.register`, also names its field of `report.json` and the
    class of its value, which it makes itself.
    """

    #: Name of its field in `report.json`; needed where `finding` is given.
    name: str = ""
    #: "model": once for each model; "report": once.
    about: str = "model"
    #: Class of the field's value, whose docstring and fields the page on the format tells.
    finding: type[Finding] | None = None
    #: Its part of the page, Jinja; it is given `report`, `model`, `name`, what `show` gives, and
    #: `tables`, a dict of what `tables` gives.
    template: str = ""

    def find(
        self, classifier: Any, images: np.ndarray, labels: np.ndarray, evaluation: Any
    ) -> Finding | None:
        """Makes its `finding` of a model, or gives None where there is nothing to tell.

        Args:
            classifier: the attacked `serving.Classifier`.
            images: float32 array (images, height, width, channels) in [0, 1].
            labels: int array (images,).
            evaluation: `engine.Evaluation` of the attacks.
        """
        return None

    def find_in(self, report: Report) -> Finding | None:
        """Makes its `finding` of the whole report, where it is about that; or gives None."""
        return None

    def show(self, report: Report, model: ModelReport | None) -> dict[str, Any] | None:
        """Gives the values of its template, or None where it has no place on the page.

        Args:
            report: `Report`.
            model: the `ModelReport` that it is about, or None.
        """
        return {} if self.template and self.found(report, model) is not None else None

    def figures(
        self, report: Report, model: ModelReport | None, name: str
    ) -> Iterable[tuple[str, Any]]:
        """Gives its figures as pairs of the end of a file's name and a matplotlib figure.

        Args:
            report: as for `show`.
            model: the same.
            name: of the model, short enough for a title.
        """
        return ()

    def caption(self, report: Report, model: ModelReport | None, name: str, end: str) -> str:
        """Gives what the figure of an `end` shows, in words that stand alone; see `figures`."""
        of = f" of {name}" if name else ""
        return f"{end.capitalize()}{of}, {wording.images_of(report)}."

    def tables(
        self, report: Report, model: ModelReport | None, name: str
    ) -> Iterable[tuple[str, Table]]:
        """Gives its tables as pairs of the end of a file's name and a `Table`; see `figures`."""
        return ()

    def measures(self, report: Report, model: ModelReport) -> Iterable[tuple[str, str]]:
        """Gives what a comparison of models shows of one: pairs of a title and a short text."""
        return ()

    def lines(self, report: Report) -> list[str]:
        """Gives its lines in the terminal, below the table."""
        return []

    def found(self, report: Report, model: ModelReport | None) -> Any:
        """The value of its field, or None."""
        owner: Any = report if self.about == "report" else model
        return owner.extensions.get(self.name) if self.finding else None


def part(name: str) -> str:
    """Gives the template of a section of ours."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def named_lines(report: Report, notes: Callable[[ModelReport], Iterable[str]]) -> list[str]:
    """Gives a line for each note on each model, which begins with the model's name."""
    return [
        f"{name}: {wording.plain(note)}"
        for name, model in zip(wording.terminal_names(report), report.models, strict=True)
        for note in notes(model)
    ]

"""Several models side by side."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import curves, figures, wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.verdict import verdict


class Comparison(Section):
    """Clean accuracy, worst case and verdict of every model, and a curve of each."""

    about = "report"
    template = part("comparison.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if len(report.models) < 2:
            return None
        lines = model_lines(report)
        return {
            "verdicts": [verdict(report, each) for each in report.models],
            "pictures": figures.variants(curves.of_report(report, lines)) if lines else None,
            "any_doubtful": any(line.doubtful for line in lines),
        }

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        lines = model_lines(report)
        if len(lines) > 1:
            title = "Worst case over all attacks, per model"
            yield "comparison", curves.of_report(report, lines)(title=title)


def model_lines(report: Report) -> list[curves.Curve]:
    """Gives one line a model that was attacked: its worst case."""
    return [
        curves.Curve(
            label=name,
            accuracy=(model.clean_accuracy, *model.worst_case.accuracy),
            doubtful=model.verdict == "unreliable",
        )
        for name, model in zip(wording.display_names(report.models), report.models, strict=True)
        if model.attacked
    ]

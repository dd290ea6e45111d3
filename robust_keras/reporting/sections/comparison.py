"""Several models side by side, and what the comparison comes to."""

from collections.abc import Iterator, Sequence
from typing import Any

from robust_keras.findings import Report
from robust_keras.findings.model import VERDICTS
from robust_keras.reporting import curves, figures, plain_words, wording
from robust_keras.reporting.conclusion import conclusion
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table
from robust_keras.reporting.verdict import verdict

# The intervals of more models would hide each other.
_MOST_SHADED = 4


class Comparison(Section):
    """The conclusion, verdict and worst case of every model, and what else is known of each.

    Args:
        sections: all there are, whose `measures` stand side by side.
    """

    about = "report"
    template = part("comparison.html")

    def __init__(self, sections: Sequence[Section]):
        self._sections = sections

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if len(report.models) < 2:
            return None
        lines = model_lines(report)
        return {
            "conclusion": conclusion(report),
            "plain": plain_words.of_models(report, wording.page_names(report)),
            "rows": [_row(report, each) for each in report.models],
            "pictures": figures.on_page(curves.of_report(report, lines)) if lines else None,
            "shaded": any(line.band for line in lines),
            "any_doubtful": any(line.doubtful for line in lines),
        }

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        lines = model_lines(report)
        if len(lines) > 1:
            title = "Worst case over all attacks, per model"
            yield "comparison", curves.of_report(report, lines)(title=title)

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"Share of {wording.images_of(report)} that each model classifies correctly under "
            f"every attack, against epsilon ({report.threat_model.norm}). Dotted lines with hollow "
            "marks are not to be believed; the dashed line is guessing."
        )

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if len(report.models) > 1:
            yield "comparison", _worst_cases(report)
            yield "side-by-side", self._side_by_side(report)
            if report.comparison is not None and report.comparison.pairs:
                yield "pairs", _pairs(report)

    def lines(self, report: Report) -> list[str]:
        found = conclusion(report)
        return [wording.plain(found.text)] if found else []

    def _side_by_side(self, report):
        """A row a measure, a column a model."""
        measured = [
            {
                title: text
                for section in self._sections
                for title, text in section.measures(report, m)
            }
            for m in report.models
        ]
        titles = dict.fromkeys(title for texts in measured for title in texts)
        rows = ((t, *(texts.get(t, "not measured") for texts in measured)) for t in titles)
        return Table(
            caption=f"What else is known of each model, {wording.images_of(report)}",
            columns=("Measure", *wording.page_names(report)),
            rows=tuple(rows),
            words=(0, *range(1, len(measured) + 1)),
        )


def _row(report, model):
    """What the first table shows of a model: each number with its interval."""
    accuracies = (model.clean_accuracy, *model.worst_case.accuracy)
    epsilons = (f"epsilon {wording.epsilon(value)}" for value in model.worst_case.epsilons)
    titles = ("no attack", *epsilons)
    cells = [
        {
            "title": title,
            "share": wording.percent(accuracy),
            "value": accuracy,
            "range": _range(report, accuracy),
            "known": model.measured or place == 0,
        }
        for place, (title, accuracy) in enumerate(zip(titles, accuracies, strict=True))
    ]
    found = verdict(report, model)
    return {"verdict": found, "rank": VERDICTS.index(found.level), "cells": cells}


def _range(report, accuracy):
    low, high = report.interval(accuracy)
    return f"{wording.percent(low)} to {wording.percent(high)}"


def _worst_cases(report):
    epsilons = (f"epsilon\n{wording.epsilon(value)}" for value in report.threat_model.epsilons)
    rows = [
        (
            model.verdict,
            name,
            *(
                f"{cell['share']} ({cell['range']})" if cell["known"] else wording.UNKNOWN
                for cell in _row(report, model)["cells"]
            ),
        )
        for name, model in zip(wording.page_names(report), report.models, strict=True)
    ]
    return Table(
        caption=f"Accuracy without attack and, at most, under {report.threat_model.norm} attack, "
        f"with 95{wording.NO_BREAK_SPACE}% intervals, {wording.images_of(report)}",
        columns=("Verdict", "Model", "No attack", *epsilons),
        rows=tuple(rows),
        words=(0, 1),
    )


def _pairs(report):
    """Every pair at every epsilon, the largest first."""
    names = dict(zip((m.path for m in report.models), wording.page_names(report), strict=True))
    rows = [
        (
            names[pair.first],
            names[pair.second],
            wording.epsilon(pair.epsilon),
            f"{100 * pair.difference:.1f}",
            " to ".join(f"{100 * value:.1f}" for value in pair.interval),
            f"{wording.count(pair.only_first)} : {wording.count(pair.only_second)}",
            "< 0.001" if pair.corrected_p_value < 0.001 else f"{pair.corrected_p_value:.2g}",
            "yes" if pair.decided else "no",
        )
        for pair in sorted(report.comparison.pairs, key=lambda pair: -pair.epsilon)
    ]
    return Table(
        caption=f"Each pair of models on the same images, {wording.images_of(report)}, "
        f"{report.threat_model.norm}",
        columns=(
            *("Ahead", "Behind", "Epsilon", "points\nAhead by", "95 %\nInterval"),
            *("only one\nHolds out", "corrected\np", "Decided"),
        ),
        rows=tuple(rows),
        words=(0, 1, 7),
    )


def model_lines(report: Report) -> list[curves.Curve]:
    """Gives one line a model that was attacked: its worst case, shaded where few are drawn."""
    few = len(report.models) <= _MOST_SHADED
    return [
        curves.Curve(
            label=name,
            accuracy=(accuracy := (model.clean_accuracy, *model.worst_case.accuracy)),
            band=tuple(map(report.interval, accuracy)) if few else (),
            doubtful=model.verdict == "unreliable",
        )
        for name, model in zip(wording.display_names(report.models), report.models, strict=True)
        if model.attacked
    ]

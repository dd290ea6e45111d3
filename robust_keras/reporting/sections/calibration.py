"""Whether a model is right as often as it is sure."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, reliability, wording
from robust_keras.reporting.section import LESS_IS_BETTER, Section, named_lines, part
from robust_keras.reporting.table import Table


class Calibration(Section):
    """The reliability diagram, the error by temperature, and both in numbers."""

    template = part("calibration.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        found = model.calibration
        if found is None:
            return None
        return {
            "sentence": _sentence(found),
            "pictures": figures.on_page(reliability.draw, found),
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        found = model.calibration
        if found is None:
            return
        attacked = found.attacked_error is not None
        columns = ("Confidence", "Images", "Mean", "Right")
        more = ("Attacked images", "Their mean", "Right of them") if attacked else ()
        yield (
            "reliability",
            Table(
                caption=f"Right answers of {name} by confidence",
                columns=columns + more,
                rows=tuple(_bins(found)),
            ),
        )
        if found.temperatures:
            yield (
                "temperatures",
                Table(
                    caption=f"Calibration error of {name} by temperature",
                    columns=("Temperature", "Error", *(["Attacked"] if attacked else [])),
                    rows=tuple(_temperatures(found)),
                ),
            )

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"Share of right answers of {name} among those of like confidence (a model that is as "
            "often right as it is sure lies on the diagonal), and the mean gap between the two by "
            f"the softmax' temperature, without and under attack ({wording.attack_of(report)}); "
            f"{wording.images_of(report)}."
        )

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if model.calibration is not None:
            error = model.calibration.expected_calibration_error
            yield f"Calibration error {LESS_IS_BETTER}", wording.percent(error)

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if model.calibration is not None:
            yield "calibration", reliability.draw(model.calibration, title=name)

    def lines(self, report: Report) -> list[str]:
        return named_lines(
            report, lambda model: [_sentence(model.calibration)] if model.calibration else []
        )


def _sentence(found):
    clean = wording.percent(found.expected_calibration_error)
    text = f"Its confidence is off by {clean} on average without attack"
    if found.attacked_error is not None:
        text += f", by {wording.percent(found.attacked_error)} under attack"
    return text + " (expected calibration error)."


def _bins(found):
    """One row a bin that holds images, before or under attack."""
    attacked = found.attacked_bins or (None,) * len(found.bins)
    for clean, under in zip(found.bins, attacked, strict=True):
        if clean.images or (under and under.images):
            span = f"{clean.low:.2f} to {clean.high:.2f}"
            yield (span, *_cells(clean), *(_cells(under) if under else ()))


def _cells(found):
    shares = (found.confidence, found.accuracy)
    return [wording.count(found.images), *("" if s is None else wording.percent(s) for s in shares)]


def _temperatures(found):
    for row in found.temperatures:
        attacked = [] if row.attacked is None else [wording.percent(row.attacked)]
        best = " (labels likeliest)" if row.temperature == found.best_temperature else ""
        yield (f"{row.temperature:g}{best}", wording.percent(row.clean), *attacked)

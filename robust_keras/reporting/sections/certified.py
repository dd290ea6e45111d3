"""What is proved: numbers from below, beside what the attacks left."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import MORE_IS_BETTER, Section, named_lines, part
from robust_keras.reporting.table import Table


class Certified(Section):
    """A table of what is proved, broken and open, and one of what is proved under noise."""

    template = part("certified.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if model.certified is None and model.smoothed is None:
            return None
        return {"sentences": list(_sentences(report, model))}

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.certified is not None:
            yield "certified", _bounds_table(report, model, name)
        if model.smoothed is not None:
            yield "smoothed", _smoothed_table(report, model, name)

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if model.certified is not None:
            epsilon = wording.epsilon(model.certified.epsilons[-1])
            proved = model.certified.accuracy[-1]
            low, high = (wording.percent(bound) for bound in report.interval(proved))
            shown = f"{wording.percent(proved)} ({low} to {high})"
            yield f"Proved at epsilon {epsilon} {MORE_IS_BETTER}", shown

    def lines(self, report: Report) -> list[str]:
        return named_lines(report, lambda model: _sentences(report, model))


def _sentences(report, model) -> Iterator[str]:
    certified, smoothed = model.certified, model.smoothed
    if certified is not None:
        epsilon, proved = wording.epsilon(certified.epsilons[-1]), certified.accuracy[-1]
        yield (
            f"Proved for {wording.percent(proved)} of the images at epsilon {epsilon} "
            f"({certified.norm}): no change within it alters their class. The truth lies between "
            f"that and the {wording.percent(model.worst_case.accuracy[-1])} that attacks leave."
        )
    if smoothed is not None:
        yield (
            "The most frequent answer under noise of standard deviation "
            f"{smoothed.sigma:g} is proved to be the label for "
            f"{wording.percent(smoothed.accuracy[0])} of the images, and within l2 distance "
            f"{smoothed.radii[len(smoothed.radii) // 2]:.3g} for "
            f"{wording.percent(smoothed.accuracy[len(smoothed.radii) // 2])}. That is another "
            "classifier than the model, and each proof is wrong with probability "
            f"{smoothed.alpha:g} at most."
        )


def _bounds_table(report, model, name):
    certified = model.certified
    pairs = zip(certified.epsilons, certified.accuracy, model.worst_case.accuracy, strict=True)
    rows = [
        (wording.epsilon(epsilon), *map(wording.percent, (proved, left - proved, 1.0 - left)))
        for epsilon, proved, left in pairs
    ]
    return Table(
        caption=f"What is proved of {name} on {wording.images_of(report)}, {certified.norm}",
        columns=("Epsilon", "Proved", "Open", "Broken"),
        rows=tuple(rows),
        words=(),
    )


def _smoothed_table(report, model, name):
    smoothed = model.smoothed
    rows = zip(smoothed.radii, smoothed.accuracy, strict=True)
    return Table(
        caption=f"What is proved of {name} under noise on {wording.images_of(report)}, "
        f"standard deviation {smoothed.sigma:g}",
        columns=("Within", "Proved"),
        rows=tuple((f"{radius:.3g}", wording.percent(accuracy)) for radius, accuracy in rows),
        words=(),
    )

"""How little changes the class: the smallest epsilon of each image."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.findings.minimal_epsilon import FEW, SHARES
from robust_keras.reporting import boxes, figures, grid, wording
from robust_keras.reporting.section import MORE_IS_BETTER, Section, part
from robust_keras.reporting.table import Table


class MinimalEpsilon(Section):
    """A box a class, and the same in numbers."""

    template = part("minimal_epsilon.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        minimal = model.minimal_epsilon
        if minimal is None:
            return None
        examples, drawn = report.dataset.examples, boxes.shown_classes(minimal)
        gradients = wording.per_image(minimal.gradient_evaluations, examples)
        forwards = wording.per_image(minimal.forward_evaluations, examples)
        return {
            "minimal": minimal,
            "sentence": _sentence(report, minimal),
            "pictures": figures.on_page(boxes.of_model(report, model)),
            "drawn": len(drawn),
            "few": FEW,
            "left_out": len(minimal.classes) > len(drawn),
            "price": f"{wording.seconds(minimal.seconds)}, {gradients} gradients and {forwards} "
            "forward passes an image",
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.minimal_epsilon is not None:
            yield "minimal", _table(report, model.minimal_epsilon, name)

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if minimal := model.minimal_epsilon:
            middle = _epsilon(minimal.quantiles[len(SHARES) // 2], minimal)
            yield f"Smallest epsilon, median {MORE_IS_BETTER}", middle

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"Smallest epsilon ({report.threat_model.norm}) found that changes what {name} "
            f"answers, {wording.images_of(report)}: middle half, median and 5 to 95"
            f"{wording.NO_BREAK_SPACE}% of all images and of each class."
        )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if model.minimal_epsilon is not None:
            yield "minimal", boxes.of_model(report, model)(title=name)


def _table(report, minimal, name):
    """All images, then each class."""
    names = report.dataset.class_names
    rows = [("all", report.dataset.examples, minimal.quantiles)]
    rows += [(grid.class_name(c.label, names), c.images, c.quantiles) for c in minimal.classes]
    shares = (wording.percent(share).replace(".0", "") for share in SHARES)
    return Table(
        caption=f"Smallest epsilons of {name} on {wording.images_of(report)}, "
        f"{report.threat_model.norm}",
        columns=("Class", "Images", *shares),
        rows=tuple(
            (title, wording.count(images), *(_epsilon(value, minimal) for value in quantiles))
            for title, images, quantiles in rows
        ),
    )


def _epsilon(value, minimal):
    if value is None:
        return f"above {minimal.largest:.3g}"
    return f"{value:.3g}"


def _sentence(report, minimal):
    *_, middle, _, high = minimal.quantiles
    largest = f"{minimal.largest:.3g} ({report.threat_model.norm})"
    found, missing = (wording.percent(share) for share in (minimal.found, 1.0 - minimal.found))
    if middle is None:
        start = f"{found} of the images change class within epsilon {largest}."
    else:
        start = f"Half of the images change class within epsilon {middle:.3g}"
        start += "." if high is None else f", 95{wording.NO_BREAK_SPACE}% within {high:.3g}."
        if minimal.found < 1.0:
            start += f" For {missing} nothing was found up to {largest}."
    return (
        f"{start} An image that is misclassified as it is counts as 0. Every epsilon is an upper "
        f"bound, backed by an image; {minimal.attack} found none that is smaller by more than "
        f"{minimal.tolerance:.2g}."
    )

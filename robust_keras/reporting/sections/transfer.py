"""Transfer: what examples made on one model did to the others."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table


class Transfer(Section):
    """A table an epsilon, sources by targets."""

    about = "report"
    template = part("transfer.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if report.transfer is None:
            return None
        names = _names(report)
        return {
            "transfer": report.transfer,
            "targets": list(names.values()),
            "knowledge": _knowledge(report),
            "cost": _cost(report),
            "tables": [
                {
                    "epsilon": wording.epsilon(epsilon),
                    "rows": [_row(source, names, place) for source in report.transfer.sources],
                }
                for place, epsilon in enumerate(report.threat_model.epsilons)
            ],
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if report.transfer is None:
            return
        names = _names(report)
        for place, epsilon in enumerate(report.threat_model.epsilons):
            shown = wording.epsilon(epsilon)
            rows = [_row(source, names, place) for source in report.transfer.sources]
            yield (
                f"transfer-{shown}",
                Table(
                    caption=f"Accuracy of the model in each column on images changed to fool the "
                    f"source in each row, {wording.images_of(report)}, "
                    f"{report.threat_model.norm}, epsilon {shown}",
                    columns=("Source", *names.values()),
                    rows=tuple(_cells(row, len(names)) for row in rows),
                ),
            )


def _cells(row, count):
    if row["skipped"]:
        return (row["name"], *["did not run"] * count)
    return (row["name"], *map(wording.percent, row["accuracy"]))


def _names(report):
    paths = (model.path for model in report.models)
    return dict(zip(paths, wording.page_names(report), strict=True))


def _row(source, names, place):
    note, made = source.skipped or "", source.substitute
    if made is not None:
        note = (
            f"trained on {wording.count(made.queries)} of its answers, from "
            f"{wording.plural(made.images, 'image')}; agrees on {wording.percent(made.agreement)}"
        )
    name = names[source.path]
    return {
        "name": f"Substitute for {name}" if made is not None else name,
        "note": note,
        "skipped": source.skipped is not None,
        "accuracy": [target.accuracy[place] for target in source.targets],
    }


def _knowledge(report):
    if any(source.gradient_evaluations for source in report.transfer.sources):
        return "full knowledge"
    return "its answers alone"


def _cost(report):
    examples, sources = report.dataset.examples, report.transfer.sources
    counts = (
        (max(source.gradient_evaluations for source in sources), "gradients"),
        (max(source.forward_evaluations for source in sources), "forward passes"),
    )
    costs = [f"{wording.per_image(most, examples)} {words}" for most, words in counts if most]
    return f"at most {wording.listed(costs) or 'nothing'} an image over all epsilons"

"""How the values inside a network move under attack."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import densities, figures, wording
from robust_keras.reporting.section import Section, named_lines, part
from robust_keras.reporting.table import Table


class Activations(Section):
    """Densities of outputs layer by layer, and how far they move."""

    template = part("activations.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if not model.activations:
            return None
        drawn = densities.drawn(model.activations)
        return {
            "sentence": _sentence(model.activations),
            "nonsense": wording.nonsense_of(report),
            "pictures": figures.on_page(densities.draw, model.activations),
            "left_out": len(drawn) < len(model.activations),
            "drawn": len(drawn),
            "layers": len(model.activations),
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.activations:
            columns = ("Layer", "Kind", "Zero", "Zero, attacked", "Flat", "Flat, attacked")
            yield (
                "activations",
                Table(
                    caption=f"Activations of {name} without and under attack",
                    columns=(*columns, "Moved by the attack", "Moved by nonsense"),
                    rows=tuple(map(_row, model.activations)),
                    words=(0, 1),
                ),
            )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if model.activations:
            yield "activations", densities.draw(model.activations, title=name)

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"How often the activations of {name} give each output, as a share of all: without "
            "attack, for what fooled the model in place of the same images "
            f"({wording.attack_of(report)}), and for {wording.nonsense_of(report)}; "
            f"{wording.images_of(report)}."
        )

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if model.activations:
            known = [a.distance for a in model.activations if a.distance is not None]
            if known:
                yield "Activations moved by the attack", wording.percent(sum(known) / len(known))

    def lines(self, report: Report) -> list[str]:
        return named_lines(
            report, lambda model: [_sentence(model.activations)] if model.activations else []
        )


def _sentence(activations):
    known = [a for a in activations if a.distance is not None]
    if not known:
        most = max(activations, key=lambda a: a.nonsense_distance)
        return (
            "No adversarial image was kept to compare with; nonsense moves the outputs of "
            f"{wording.visible(most.layer)} most, by {wording.percent(most.nonsense_distance)}."
        )
    mean = sum(a.distance for a in known) / len(known)
    most = max(known, key=lambda a: a.distance)
    nonsense = sum(a.nonsense_distance for a in known) / len(known)
    return (
        "What fooled the model moves the outputs of its activations by "
        f"{wording.percent(mean)} on average (largest gap of the distributions), most in "
        f"{wording.visible(most.layer)}, by {wording.percent(most.distance)}; nonsense by "
        f"{wording.percent(nonsense)}."
    )


def _row(found):
    return (
        wording.visible(found.layer),
        wording.visible(found.kind),
        wording.percent(found.clean.zeros),
        _share(found.attacked, "zeros"),
        _share(found.clean, "saturated"),
        _share(found.attacked, "saturated"),
        "" if found.distance is None else wording.percent(found.distance),
        wording.percent(found.nonsense_distance),
    )


def _share(values, name):
    value = None if values is None else getattr(values, name)
    return "" if value is None else wording.percent(value)

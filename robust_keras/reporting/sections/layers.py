"""The layers of a model, as far as anything is known of them."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table


class Layers(Section):
    """Slope and gradient of each layer, folded away below the largest of both."""

    template = part("layers.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        return {"summary": layer_summary(model)} if model.layers else None

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.layers:
            rows = (
                (
                    wording.visible(layer.name),
                    _short(layer.largest_slope),
                    _short(layer.gradient_norm),
                )
                for layer in model.layers
            )
            columns = ("Layer", "Largest slope", "Gradient norm")
            yield "layers", Table(caption=f"Layers of {name}", columns=columns, rows=tuple(rows))


def _short(value):
    return "" if value is None else f"{value:.3g}"


def layer_summary(model: Any) -> str:
    """Gives one line on the layers: where slope and gradient are largest."""
    named = (("steepest activation", "largest_slope"), ("largest gradient", "gradient_norm"))
    pieces = []
    for title, field in named:
        known = [layer for layer in model.layers if getattr(layer, field) is not None]
        if known:
            most = max(known, key=lambda layer: getattr(layer, field))
            pieces.append(f"{title}: {getattr(most, field):.3g} in {wording.visible(most.name)}")
    return "; ".join(pieces)

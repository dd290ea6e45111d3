"""The layers of a model, as far as anything is known of them."""

from collections.abc import Callable, Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, spectra, wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table


class Layers(Section):
    """Weights, ranks, norms, slopes of each layer, folded away below a summary and a figure."""

    template = part("layers.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        if not model.layers:
            return None
        kernels, drawn = spectra.kernels(model), spectra.drawn(model)
        return {
            "summary": layer_summary(model),
            "sentences": list(_sentences(kernels)),
            "pictures": figures.on_page(spectra.draw, model) if drawn else None,
            "left_out": len(drawn) < len(kernels),
            "drawn": len(drawn),
            "kernels": len(kernels),
        }

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.layers:
            shown = [(t, tell) for t, tell in _COLUMNS.items() if any(map(tell, model.layers))]
            rows = (
                (wording.visible(layer.name), *(tell(layer) for _, tell in shown))
                for layer in model.layers
            )
            columns = ("Layer", *(title for title, _ in shown))
            words = tuple(n for n, title in enumerate(columns) if title in ("Layer", "Kind"))
            yield (
                "layers",
                Table(caption=f"Layers of {name}", columns=columns, rows=tuple(rows), words=words),
            )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if spectra.drawn(model):
            yield "spectra", spectra.draw(model, title=name)

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"Singular values of the kernels of {name}, written as matrices with a column an "
            "output, as shares of the largest, and how their weights are spread."
        )

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if kernels := spectra.kernels(model):
            yield "Mean rank (99 %)", wording.percent(_mean_rank(kernels))


def _short(name: str) -> Callable[[Any], str]:
    def tell(layer):
        value = getattr(layer, name)
        return "" if value is None else f"{value:.3g}"

    return tell


def _share(name: str) -> Callable[[Any], str]:
    def tell(layer):
        value = getattr(layer, name)
        return "" if value is None else wording.percent(value)

    return tell


def _rank(layer):
    if layer.rank is None:
        return ""
    return f"{layer.rank} of {layer.full_rank} ({layer.energy_rank})"


_COLUMNS: dict[str, Callable[[Any], str]] = {
    "Kind": lambda layer: wording.visible(layer.kind or ""),
    "Weights": lambda layer: wording.count(layer.parameters) if layer.parameters else "",
    "Zero": _share("sparsity"),
    "Near zero": _share("near_zero"),
    "Rank (99 %)": _rank,
    "Nuclear norm": _short("nuclear_norm"),
    "Norm": _short("spectral_norm"),
    "Largest slope": _short("largest_slope"),
    "Gradient norm": _short("gradient_norm"),
}


def _mean_rank(kernels):
    """The mean share of the full rank that holds nearly all of a kernel."""
    return sum(layer.energy_rank / layer.full_rank for layer in kernels) / len(kernels)


def _sentences(kernels) -> Iterator[str]:
    if kernels:
        sizes = [sum(layer.histogram) if layer.histogram else layer.parameters for layer in kernels]
        zeros = sum(layer.sparsity * size for layer, size in zip(kernels, sizes, strict=True))
        low = min(kernels, key=lambda layer: layer.energy_rank / layer.full_rank)
        yield (
            f"{wording.percent(zeros / sum(sizes))} of the kernels' weights are zero. On average "
            f"{wording.percent(_mean_rank(kernels))} of a kernel's rank holds 99 % of it; "
            f"least in {wording.visible(low.name)}, {low.energy_rank} of {low.full_rank}."
        )


def layer_summary(model: Any) -> str:
    """Gives one line on the layers: where slope and gradient are largest."""
    named = (("steepest activation", "largest_slope"), ("largest gradient", "gradient_norm"))
    pieces = []
    for title, field in named:
        known = [layer for layer in model.layers if getattr(layer, field) is not None]
        if known:
            most = max(known, key=lambda layer: getattr(layer, field))
            pieces.append(f"{title}: {getattr(most, field):.3g} in {wording.visible(most.name)}")
    return "; ".join(pieces) or wording.plural(len(model.layers), "layer")

"""How much a small change of the image can change the logits: bound, finding and estimate."""

import math
from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, growth, wording
from robust_keras.reporting.section import LESS_IS_BETTER, Section, named_lines, part
from robust_keras.reporting.table import Table

_KERNELS = ("Dense", "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose")
# A bound of so many times what was found tells little.
_LOOSE = 10.0


class Lipschitz(Section):
    """The bound beside what was found, why they differ, and how the bound grows."""

    template = part("lipschitz.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        found = model.lipschitz
        if found is None:
            return None
        drawn = figures.on_page(growth.draw, found) if found.layers else None
        return {"sentences": list(_sentences(found)), "pictures": drawn}

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if model.lipschitz is not None and model.lipschitz.layers:
            rows = (
                (
                    wording.visible(layer.name),
                    wording.visible(layer.kind),
                    f"{layer.factor:.4g}",
                    "" if layer.slope is None else f"{layer.slope:.4g}",
                    f"{layer.total:.4g}",
                )
                for layer in model.lipschitz.layers
            )
            columns = ("Layer", "Kind", "Factor", "Largest slope", "Bound up to here")
            caption = f"Lipschitz bound of {name} by layer (l2)"
            yield (
                "lipschitz",
                Table(caption=caption, columns=columns, rows=tuple(rows), words=(0, 1)),
            )

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if model.lipschitz is not None and model.lipschitz.layers:
            yield "lipschitz", growth.draw(model.lipschitz, title=name)

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            f"By how much {name} can enlarge a change of the image at most, from the image up to "
            "each layer (Lipschitz bound, l2), and the most that was found between two images; "
            f"{wording.images_of(report)}."
        )

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        found = model.lipschitz
        if found is not None and found.empirical is not None:
            most = "unknown" if found.upper_bound is None else _number(found.upper_bound)
            title = f"Lipschitz constant (l2) {LESS_IS_BETTER}"
            yield title, f"{_number(found.empirical)} to {most}"

    def lines(self, report: Report) -> list[str]:
        return named_lines(
            report, lambda model: list(_sentences(model.lipschitz))[:1] if model.lipschitz else []
        )


def _sentences(found) -> Iterator[str]:
    yield " ".join(_between(found))
    if found.upper_bound is not None:
        yield from _why(found)
    if found.clever is not None:
        clever = found.clever
        yield (
            f"CLEVER estimates, and does not prove, that the next class is {clever.median:.3g} "
            f"away (l2, median of {wording.plural(clever.images, 'image')}; smallest "
            f"{clever.smallest:.3g}; at most {clever.radius:g})."
        )


def _between(found) -> Iterator[str]:
    if found.upper_bound is not None:
        yield (
            "A change of 1 in the image changes the logits by no more than "
            f"{_number(found.upper_bound)} (l2, proved)."
        )
    else:
        why = wording.visible(found.unknown or "no layer is known")
        yield f"By how much a change can change the logits at most is not known: {why}."
    if found.empirical is not None:
        yield f"Between two images {_number(found.empirical)} times their distance was found."


def _why(found) -> Iterator[str]:
    """What the bound proves, and what makes it larger than what was found."""
    if found.proved_radius is not None:
        yield (
            "By this bound half of the right answers hold within l2 distance "
            f"{found.proved_radius:.2g} and more."
        )
    if not found.empirical or found.upper_bound < _LOOSE * found.empirical:
        return
    text = (
        f"The bound is {_number(found.upper_bound / found.empirical)} times what was found, so it "
        "proves little: it supposes that every layer meets the change that it enlarges most, at "
        "every place at once."
    )
    parts = {
        "kernels": _product(found, lambda layer: layer.kind in _KERNELS),
        "batch normalisation": _product(found, lambda layer: layer.kind == "BatchNormalization"),
        "the steepest slopes of the kernel activations": _product(
            found, lambda layer: layer.kind == "KernelActivation"
        ),
    }
    told = [f"{name} {_number(value)}" for name, value in parts.items() if value is not None]
    yield f"{text} Of its factors, multiplied: {', '.join(told)}." if told else text


def _product(found, chosen):
    factors = [layer.factor for layer in found.layers if chosen(layer)]
    return math.prod(factors) if factors else None


def _number(value):
    """Three digits, written out up to a million."""
    return wording.count(round(value)) if 1000 <= value < 1e6 else f"{value:.3g}"

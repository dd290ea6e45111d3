"""Pictures of several models in one: their filters, and what they make of unusual samples."""

import functools
from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, sample_curves, theme, tiles, wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.sections.pictures import FILTER_WORDS, filter_tiles

# So many filters of a model are enough to tell it from another.
_MOST = 16


class SideBySide(Section):
    """Pictures that at least two models have, and curves of unusual samples over strength."""

    about = "report"
    template = part("side_by_side.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        drawn = [
            {"drawing": figures.on_page(draw), "words": words}
            for _, draw, words in _figures(report)
        ]
        title = "Side by side" if len(report.models) > 1 else "Unusual inputs by strength"
        return {"drawn": drawn, "title": title} if drawn else None

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        for end, draw, _ in _figures(report):
            yield end, draw(title=_TITLES[end])

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        words = {known: words for known, _, words in _figures(report)}[end]
        names = wording.listed(list(wording.display_names(report.models)))
        return f"{names}, {wording.images_of(report)}. {words}"


_TITLES = {
    "filters": "First-layer filters",
    "noisy": "Noisy samples",
    "nonsense": "Nonsense samples",
}


def _figures(report):
    """Triples of a name, a function that draws, and a caption."""
    models = list(zip(wording.display_names(report.models), report.models, strict=True))
    filters = [(name, m.pictures.filters) for name, m in models if m.pictures]
    filters = [(name, found) for name, found in filters if found]
    if len(filters) > 1:
        yield "filters", functools.partial(_filters, filters), FILTER_WORDS
    for kind in ("noisy", "nonsense"):
        samples = [
            (name, one)
            for name, m in models
            for one in (m.unusual.samples if m.unusual else ())
            if one.name == kind and one.strengths
        ]
        if samples:
            shown = f" ({wording.nonsense_of(report, 'noise')})" if kind == "nonsense" else ""
            words = (
                f"{_TITLES[kind]}{shown} of rising strength: the share that each model accepts, "
                "and its mean confidence."
            )
            yield kind, functools.partial(sample_curves.draw, samples), words


def _filters(filters, *, size=theme.WIDE, title=""):
    rows = [
        (wording.shortened(name, wording.SHORT), filter_tiles(found)[:_MOST])
        for name, found in filters
    ]
    columns = 8 if size.width < 500 else _MOST
    return tiles.draw(rows, size=size, columns=columns, title=title)

"""What a model looks like inside: filters, saliency, curves, features, surfaces."""

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

from robust_keras.findings import Report
from robust_keras.reporting import (
    feature_histograms,
    figures,
    grid,
    kernel_curves,
    loss_surface,
    theme,
    tiles,
    wording,
)
from robust_keras.reporting.section import Section, named_lines, part


class Pictures(Section):
    """One figure each, as far as the model has them."""

    template = part("pictures.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        drawn = [
            {"drawing": figures.on_page(draw), "words": words}
            for _, draw, words in _figures(report, model)
        ]
        return {"drawn": drawn} if drawn else None

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        for end, draw, _ in _figures(report, model):
            yield end, draw(title=f"{_TITLES[end]} of {name}")

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        words = {known: text for known, _, text in _figures(report, model)}[end]
        return f"{name}, {wording.images_of(report)}. {words}"

    def measures(self, report: Report, model: Any) -> Iterator[tuple[str, str]]:
        if model.pictures and model.pictures.features:
            yield "Features shared with nonsense", wording.percent(model.pictures.features.overlap)

    def lines(self, report: Report) -> list[str]:
        return named_lines(report, functools.partial(_notes, report))


_TITLES = {
    "filters": "First-layer filters",
    "saliency": "Saliency",
    "kernels": "Kernel activations",
    "features": "Features",
    "surface": "Loss and answers around images",
}


def _notes(report, model):
    found = model.pictures
    if found and found.features:
        share = wording.percent(found.features.overlap)
        yield (
            f"The features of its second convolution share {share} of their histograms with those "
            f"of {wording.nonsense_of(report, 'noise')}."
        )
    for layer in found.curves if found else ():
        if layer.outside > 0:
            share = wording.percent(layer.outside)
            yield f"{layer.layer}: {share} of the inputs fall outside the dictionary."


def _figures(report, model):
    """Triples of a name, a function that draws, and a caption."""
    found, names = model.pictures, report.dataset.class_names
    if found is None:
        return
    if found.filters:
        yield "filters", functools.partial(_filters, [("", found.filters)]), FILTER_WORDS
    if found.saliency:
        yield "saliency", functools.partial(_saliency, found.saliency, names), _SALIENCY_WORDS
    if found.curves:
        yield "kernels", functools.partial(kernel_curves.draw, found.curves), _curve_words(found)
    if found.features:
        words = _feature_words(report, found.features)
        yield "features", functools.partial(feature_histograms.draw, found.features), words
    if found.surfaces:
        draw = functools.partial(loss_surface.draw, found.surfaces, class_names=names)
        yield "surface", draw, _SURFACE_WORDS


FILTER_WORDS = (
    "The first layer's kernels, each scaled to its own largest weight: mid grey is 0, white plus "
    "and black minus that weight."
)
_SALIENCY_WORDS = (
    "Images, and below each how strongly every pixel moves the lead of the answer over the next "
    "class: the darker, the more. In per cent, the share of the pixels that hold half of it."
)
_SURFACE_WORDS = (
    "The plane through an image along the signs of the loss' gradient and, upwards, along random "
    "signs, both in units of epsilon: the cross-entropy, and the class that the model answers "
    "with. A loss that is flat in the middle, or falls where the gradient says that it rises, is a "
    "masked gradient."
)


def _curve_words(found):
    outside = wording.percent(max(layer.outside for layer in found.curves))
    return (
        "Learnt kernel activations of some channels, left, and their slopes, right; between the "
        "dashed lines lay the dictionary at the start. Grey: where the inputs of all channels "
        f"fall, in no layer more than {outside} of them outside."
    )


def _feature_words(report, features):
    nonsense = wording.nonsense_of(report, "noise that shows nothing")
    return (
        f"Values of {wording.visible(features.layer)} before its activation, of "
        f"{wording.plural(features.images, 'image')} and of {nonsense}, one channel "
        "at a time and two at once. Over all its channels the histograms share "
        f"{wording.percent(features.overlap)}: the less, the better can these be told from images "
        "here."
    )


def filter_tiles(filters: Any) -> list[tiles.Tile]:
    """The pictures of a `FiltersReport`."""
    return [tiles.Tile(grid.rgb(array / 255.0)) for array in filters.arrays]


def _filters(groups, *, size=theme.WIDE, title=""):
    rows = [(name, filter_tiles(filters)) for name, filters in groups]
    columns = 8 if size.width < 500 else 12
    return tiles.draw(rows, size=size, columns=columns, title=title)


def _saliency(found, class_names, *, size=theme.WIDE, title=""):
    images, maps = [], []
    for one in found:
        image, weights = one.arrays
        name = wording.shortened(grid.class_name(one.answer, class_names), 10)
        images.append(tiles.Tile(grid.rgb(image / 255.0)))
        shown = grid.rgb(1.0 - weights / 255.0)
        maps.append(tiles.Tile(np.array(shown), f"{name}\n{wording.percent(one.half)}"))
    rows = [("", images), ("", maps)]
    return tiles.draw(rows, size=size, columns=max(len(found), 5), title=title)

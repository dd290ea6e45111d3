"""Drawing of activations: how their outputs are spread, without and under attack."""

from collections.abc import Callable, Sequence
from typing import Any

from robust_keras.reporting import panels, wording
from robust_keras.reporting import theme as themes

# Layers that are drawn, from the first to the last.
MOST = 6
SORTS = {"no attack": "clean", "attacked": "attacked", "nonsense": "nonsense"}


def drawn(activations: Sequence[Any]) -> list[Any]:
    """The `ActivationReport`s that are drawn: all, or so many from the first to the last."""
    if len(activations) <= MOST:
        return list(activations)
    return [activations[round(n * (len(activations) - 1) / (MOST - 1))] for n in range(MOST)]


def of_model(activations: Sequence[Any]) -> Callable[..., Any]:
    """Gives a function of `paper`, `size` and `title` that draws `ActivationReport`s."""
    return lambda paper="light", size="wide", title="": _draw(
        drawn(activations), themes.THEMES[paper], themes.SIZES[size], title
    )


def _draw(layers, theme, size, title):
    titles = [wording.shortened(wording.visible(layer.layer), 28) for layer in layers]
    figure, axes = panels.sheet(titles, theme=theme, size=size, title=title, height=190, key=True)
    for axis, layer in zip(axes, layers, strict=True):
        _one(axis, layer, theme)
        panels.logarithmic(axis)
        panels.label(axis, "output", "", theme, size)
    panels.key(figure, axes[0], theme, size)
    return figure


def _one(axes, layer, theme):
    for index, (name, sort) in enumerate(SORTS.items()):
        values = getattr(layer, sort)
        if values is None:
            continue
        colour, dash, _ = themes.line_look(theme, index)
        counts = values.histogram
        wide = (layer.high - layer.low) / len(counts)
        edges = [layer.low + wide * n for n in range(len(counts) + 1)]
        total = max(sum(counts), 1)
        shares = [count / total if count else float("nan") for count in counts]
        style = {"color": colour, "linestyle": dash, "linewidth": 1.6, "label": name}
        axes.stairs(shares, edges, baseline=None, **style)

"""Drawing of activations: how their outputs are spread, without and under attack."""

from collections.abc import Sequence
from typing import Any

from robust_keras.reporting import panels, theme, wording

# Layers that are drawn, from the first to the last.
MOST = 6
SORTS = {"no attack": "clean", "attacked": "attacked", "nonsense": "nonsense"}


def drawn(activations: Sequence[Any]) -> list[Any]:
    """The `ActivationReport`s that are drawn: all, or so many from the first to the last."""
    return panels.spaced(activations, MOST)


def draw(activations: Sequence[Any], *, size: theme.Size = theme.WIDE, title: str = "") -> Any:
    """Draws `ActivationReport`s."""
    layers = drawn(activations)
    titles = [wording.shortened(layer.layer, 28) for layer in layers]
    figure, axes = panels.sheet(titles, size=size, title=title, height=190, key=True)
    for axis, layer in zip(axes, layers, strict=True):
        _one(axis, layer)
        panels.logarithmic(axis)
        panels.label(axis, "output")
    panels.key(figure, axes[0])
    return figure


def _one(axes, layer):
    for index, (name, sort) in enumerate(SORTS.items()):
        values = getattr(layer, sort)
        if values is None:
            continue
        colour, dash, _ = theme.line_look(index)
        counts = values.histogram
        wide = (layer.high - layer.low) / len(counts)
        edges = [layer.low + wide * n for n in range(len(counts) + 1)]
        total = max(sum(counts), 1)
        shares = [count / total if count else float("nan") for count in counts]
        style = {"color": colour, "linestyle": dash, "linewidth": 1.6, "label": name}
        axes.stairs(shares, edges, baseline=None, **style)

"""Drawing of learnt kernel activations: curves over where their inputs fall, and slopes."""

from typing import Any

import numpy as np

from robust_keras.reporting import panels, wording
from robust_keras.reporting import theme as themes


def draw(curves: Any, *, paper: str = "light", size: str = "wide", title: str = "") -> Any:
    """Draws a row a layer: its curves, and their slopes.

    Args:
        curves: `KernelCurvesReport`s, at least one.
        paper: name of a theme.
        size: name of a size.
        title: text above the figure, or "".
    """
    theme, room = themes.THEMES[paper], themes.SIZES[size]
    names = [wording.shortened(wording.visible(one.layer), 28) for one in curves]
    titles = [text for name in names for text in (name, "slopes")]
    figure, axes = panels.sheet(titles, theme=theme, size=room, title=title, height=190, narrow=2)
    for layer, (left, right) in zip(curves, zip(axes[::2], axes[1::2], strict=True), strict=True):
        points, values = np.array(layer.points), np.array(layer.curves)
        slopes = np.gradient(values, points, axis=1)
        for part, lines in ((left, values), (right, slopes)):
            _inputs(part, layer, lines, theme)
            for number, line in enumerate(lines):
                colour, _, _ = themes.line_look(theme, number)
                part.plot(points, line, color=colour, linewidth=1.4)
            for edge in (-layer.boundary, layer.boundary):
                part.axvline(edge, color=theme.muted, linewidth=1.0, linestyle=(0, (4, 3)))
    return figure


def _inputs(axes, layer, lines, theme):
    """The inputs' histogram as hills at the bottom, a third of the height."""
    low, high = float(lines.min()), float(lines.max())
    counts = np.array(layer.inputs, float)
    hills = low + (high - low) / 3 * counts / max(counts.max(), 1.0)
    middles = (np.array(layer.points)[1:] + np.array(layer.points)[:-1]) / 2
    axes.fill_between(middles, low, hills, color=theme.muted, alpha=0.3, linewidth=0)

"""Drawing of learnt kernel activations: curves over where their inputs fall, and slopes."""

from typing import Any

import numpy as np

from robust_keras.reporting import panels, theme, wording


def draw(curves: Any, *, size: theme.Size = theme.WIDE, title: str = "") -> Any:
    """Draws a row a layer of `KernelCurvesReport`s: its curves, and their slopes."""
    names = [wording.shortened(one.layer, 28) for one in curves]
    titles = [text for name in names for text in (name, "slopes")]
    figure, axes = panels.sheet(titles, size=size, title=title, height=190, narrow=2)
    for layer, (left, right) in zip(curves, zip(axes[::2], axes[1::2], strict=True), strict=True):
        points, values = np.array(layer.points), np.array(layer.curves)
        slopes = np.gradient(values, points, axis=1)
        for part, lines in ((left, values), (right, slopes)):
            _inputs(part, layer, lines)
            for number, line in enumerate(lines):
                colour, _, _ = theme.line_look(number)
                part.plot(points, line, color=colour, linewidth=1.4)
            for edge in (-layer.boundary, layer.boundary):
                part.axvline(edge, color=theme.MUTED, linewidth=1.0, linestyle=(0, (4, 3)))
    return figure


def _inputs(axes, layer, lines):
    """The inputs' histogram as hills at the bottom, a third of the height."""
    low, high = float(lines.min()), float(lines.max())
    counts = np.array(layer.inputs, float)
    hills = low + (high - low) / 3 * counts / max(counts.max(), 1.0)
    middles = (np.array(layer.points)[1:] + np.array(layer.points)[:-1]) / 2
    axes.fill_between(middles, low, hills, color=theme.MUTED, alpha=0.3, linewidth=0)

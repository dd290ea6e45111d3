"""Drawing of kernels: their singular values, and how their weights are spread."""

from collections.abc import Callable
from typing import Any

from robust_keras.reporting import panels, wording
from robust_keras.reporting import theme as themes

# Lines that can be told apart in one diagram.
MOST = 7


def kernels(model: Any) -> list[Any]:
    """The `LayerReport`s of a model whose singular values are known."""
    return [layer for layer in model.layers if layer.singular_values and layer.energy_rank]


def drawn(model: Any) -> list[Any]:
    """Those that are drawn: all, or so many from the first to the last."""
    found = kernels(model)
    if len(found) <= MOST:
        return found
    return [found[round(n * (len(found) - 1) / (MOST - 1))] for n in range(MOST)]


def of_model(model: Any) -> Callable[..., Any]:
    """Gives a function of `paper`, `size` and `title` that draws the layers of a `ModelReport`."""
    return lambda paper="light", size="wide", title="": _draw(
        drawn(model), themes.THEMES[paper], themes.SIZES[size], title
    )


def _draw(layers, theme, size, title):
    titles = ["Singular values", "Weights"]
    figure, axes = panels.sheet(titles, theme=theme, size=size, title=title, height=300)
    for index, layer in enumerate(layers):
        colour, dash, _ = themes.line_look(theme, index)
        style = {"color": colour, "linestyle": dash, "linewidth": 1.6}
        values, shown = layer.singular_values, max(len(layer.singular_values) - 1, 1)
        label = wording.shortened(wording.visible(layer.name), 18)
        marker = "o" if len(values) == 1 else ""
        axes[0].plot(
            [place / shown for place in range(len(values))],
            [max(value / values[0], 1e-4) for value in values],
            label=label,
            marker=marker,
            **style,
        )
        counts = layer.histogram
        places = [2 * (n + 0.5) / len(counts) - 1 for n in range(len(counts))]
        total = sum(counts)
        axes[1].plot(places, [max(count / total, 1e-5) for count in counts], **style)
    panels.logarithmic(axes[0])
    panels.logarithmic(axes[1])
    panels.percents(axes[0], "x")
    panels.label(axes[0], "share of the full rank", "", theme, size)
    panels.label(axes[1], "weight, of the largest", "", theme, size)
    panels.legend(axes[0], theme, size, "lower left")
    return figure

"""Drawing of kernels: their singular values, and how their weights are spread."""

from typing import Any

from robust_keras.reporting import panels, theme, wording

# Lines that can be told apart in one diagram.
MOST = 7


def kernels(model: Any) -> list[Any]:
    """The `LayerReport`s of a model whose singular values are known."""
    return [layer for layer in model.layers if layer.singular_values and layer.energy_rank]


def drawn(model: Any) -> list[Any]:
    """Those that are drawn: all, or so many from the first to the last."""
    return panels.spaced(kernels(model), MOST)


def draw(model: Any, *, size: theme.Size = theme.WIDE, title: str = "") -> Any:
    """Draws the layers of a `ModelReport`."""
    layers = drawn(model)
    titles = ["Singular values", "Weights"]
    figure, axes = panels.sheet(titles, size=size, title=title, height=300)
    for index, layer in enumerate(layers):
        colour, dash, _ = theme.line_look(index)
        style = {"color": colour, "linestyle": dash, "linewidth": 1.6}
        values, shown = layer.singular_values, max(len(layer.singular_values) - 1, 1)
        label = wording.shortened(layer.name, 18)
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
    panels.label(axes[0], "share of the full rank")
    panels.label(axes[1], "weight, of the largest")
    panels.legend(axes[0], "lower left")
    return figure

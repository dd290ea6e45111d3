"""Drawing of a Lipschitz bound: how it grows from layer to layer, and what was found."""

from typing import Any

from robust_keras.reporting import figures, panels, theme, wording

# Of more layers only some are named.
_NAMED = 24
# Between powers of ten there are numbers where there would be hardly any.
_SHORT = 100


def draw(found: Any, *, size: theme.Size = theme.WIDE, title: str = "") -> Any:
    """Draws a `LipschitzReport`."""
    layers = [layer for layer in found.layers if abs(layer.factor - 1.0) > 1e-9]
    letters = theme.LETTERS
    high = 2.2 * letters + 3.6 * letters + 1.7 * letters * max(min(len(layers), _NAMED), 4)
    names = ["Bound up to each layer"]
    figure, (axes,) = panels.sheet(names, size=size, title=title, height=high, names=11.0)
    places = range(len(layers))
    colour = theme.line_look(0)[0]
    totals = [max(layer.total, 1e-30) for layer in layers]
    axes.plot(totals, places, color=colour, marker="o", markersize=5, linewidth=1.8, label="bound")
    for place, layer in enumerate(layers):
        said = f"{wording.visible(layer.name)}: {layer.total:.3g}"
        figures.hover(axes, totals[place], place, said, size)
    if found.empirical:
        style = {"color": theme.INK, "linewidth": 1.6, "linestyle": (0, (4, 3))}
        axes.axvline(found.empirical, label="found", **style)
    every = -(-len(layers) // _NAMED)
    shown = [n for n in places if n % every == 0]
    names = [wording.shortened(layers[n].name, 20) for n in shown]
    panels.logarithmic(axes, "x")
    if max(totals) < _SHORT * min(totals):
        from matplotlib.ticker import LogLocator

        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.set_yticks(shown, names, parse_math=False)
    axes.set_ylim(len(layers) - 0.4, -0.6)
    panels.label(axes, "largest change of the logits for a change of 1 (l2)")
    panels.legend(axes, "upper right")
    return figure

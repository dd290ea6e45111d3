"""The figure of a study as SVG, from its results alone."""

import io
from typing import Any

import matplotlib
import matplotlib.figure

from robust_keras.reporting.theme import THEMES, line_look

_THEME = THEMES["light"]


def svg(figure: dict[str, Any]) -> str:
    """Draws lines with their intervals as bands.

    Args:
        figure: `figure` of a study's results.

    Returns:
        The text of an SVG file, the same for the same numbers.
    """
    drawn = matplotlib.figure.Figure(figsize=(7.2, 4.2), layout="constrained", facecolor="white")
    axes = drawn.add_subplot()
    for number, line in enumerate(figure["lines"]):
        _draw(axes, line, figure["places"], line_look(_THEME, number))
    axes.set(title=figure["title"], xlabel=figure["across"], ylabel=figure["up"])
    axes.title.set(fontsize=11, color=_THEME.ink)
    axes.grid(color=_THEME.rule)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.text(0.5, 0.5, "not run yet", ha="center", transform=axes.transAxes)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "studies", "svg.fonttype": "none"}):
        drawn.savefig(stream, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _draw(axes, line, places, look):
    known = [(x, found) for x, found in zip(places, line["found"], strict=True) if found]
    if not known:
        return
    colour, dash, marker = look
    across = [x for x, _ in known]
    means = [100 * found["mean"] for _, found in known]
    axes.plot(across, means, color=colour, linestyle=dash, marker=marker, label=line["label"])
    low = [max(0, 100 * found["low"]) for _, found in known]
    high = [min(100, 100 * found["high"]) for _, found in known]
    axes.fill_between(across, low, high, color=colour, alpha=0.12, linewidth=0)

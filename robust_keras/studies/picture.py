"""The figure of a study as SVG, from its results alone."""

import io
from typing import Any

import matplotlib
import matplotlib.figure
import numpy as np

from robust_keras.reporting.theme import THEMES, line_look

_THEME = THEMES["light"]


def svg(figure: dict[str, Any]) -> str:
    """Draws lines with their intervals as bands, or points with bars where places have names.

    Args:
        figure: `figure` of a study's results.

    Returns:
        The text of an SVG file, the same for the same numbers.
    """
    drawn = matplotlib.figure.Figure(figsize=(7.2, 4.2), layout="constrained", facecolor="white")
    axes = drawn.add_subplot()
    draw = _points if figure["ticks"] else _line
    for number, line in enumerate(figure["lines"]):
        known = [
            (x, *_percent(found))
            for x, found in zip(figure["places"], line["found"], strict=True)
            if found
        ]
        if known:
            share = (number + 0.5) / len(figure["lines"]) - 0.5
            draw(axes, np.array(known).T, line["label"], line_look(_THEME, number), share)
    _dress(axes, figure)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "studies", "svg.fonttype": "none"}):
        drawn.savefig(stream, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _percent(found):
    ends = max(0, found["low"]), min(1, found["high"])
    return [100 * number for number in (found["mean"], *ends)]


def _line(axes, known, label, look, share):
    colour, dash, marker = look
    across, mean, low, high = known
    axes.plot(across, mean, color=colour, linestyle=dash, marker=marker, label=label)
    axes.fill_between(across, low, high, color=colour, alpha=0.12, linewidth=0)


def _points(axes, known, label, look, share):
    colour, _, marker = look
    across, mean, low, high = known
    spans = np.array([mean - low, high - mean])
    axes.errorbar(
        *(across + 0.6 * share, mean, spans), color=colour, fmt=marker, label=label, markersize=5
    )


def _dress(axes, figure):
    axes.set(xlabel=figure["across"], ylabel=figure["up"], ylim=(-3, 103))
    axes.figure.suptitle(figure["title"], x=0.01, ha="left", fontsize=11, color=_THEME.ink)
    if figure["ticks"]:
        axes.set_xticks(figure["places"], [t.replace(" from ", "\nfrom ") for t in figure["ticks"]])
        axes.tick_params(axis="x", labelsize=8)
        axes.set_xlim(figure["places"][0] - 0.5, figure["places"][-1] + 0.5)
    axes.grid(color=_THEME.rule)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    else:
        axes.text(0.5, 0.5, "not run yet", ha="center", transform=axes.transAxes)

"""The figure of a study as SVG, from its results alone."""

import io
import textwrap
from typing import Any

import matplotlib
import matplotlib.figure
import matplotlib.patches
import numpy as np

from robust_keras.reporting import theme

# How much of the axis lines of one place take, side by side.
_BESIDE = 0.04


def svg(figure: dict[str, Any]) -> str:
    """Draws lines with their intervals as bands, or points with bars where places have names.

    Args:
        figure: `figure` of a study's results.

    Returns:
        The text of an SVG file, the same for the same numbers.
    """
    drawn = _card()
    axes = drawn.add_subplot()
    colours = figure.get("colours", 0)
    draw = _points if figure["ticks"] else _barred if colours else _line
    for number, line in enumerate(figure["lines"]):
        known = [
            (x, *_percent(found, figure.get("signed", False)))
            for x, found in zip(figure["places"], line["found"], strict=True)
            if found
        ]
        if known:
            share = (number + 0.5) / len(figure["lines"]) - 0.5
            draw(axes, np.array(known).T, line["label"], _look(number, colours), share)
    _dress(axes, figure)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "studies", "svg.fonttype": "none"}):
        drawn.savefig(stream, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _card():
    """A light card as wide as a telephone shows without shrinking, for pages of any colour."""
    drawn = matplotlib.figure.Figure(figsize=(5.0, 4.9), layout="constrained", facecolor="none")
    drawn.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    drawn.add_artist(
        matplotlib.patches.FancyBboxPatch(
            *((0.0, 0.0), 1.0, 1.0),
            boxstyle="round,pad=0,rounding_size=0.025",
            facecolor=theme.PAPER,
            edgecolor=theme.RULE,
            transform=drawn.transFigure,
            zorder=-1,
        )
    )
    return drawn


def _look(number, colours):
    """Colour, dash and marker of a line; see `Figure.colours`."""
    if not colours:
        return theme.line_look(number)
    colour, _, marker = theme.line_look(number % colours)
    return colour, theme.DASHES[number // colours], marker


def _percent(found, signed):
    lowest = -1 if signed else 0
    ends = max(lowest, found["low"]), min(1, found["high"])
    return [100 * number for number in (found["mean"], *ends)]


def _line(axes, known, label, look, share):
    colour, dash, marker = look
    across, mean, low, high = known
    axes.plot(across, mean, color=colour, linestyle=dash, marker=marker, label=label)
    axes.fill_between(across, low, high, color=colour, alpha=0.12, linewidth=0)


def _barred(axes, known, label, look, share):
    colour, dash, marker = look
    across, mean, low, high = known
    # Lines of one place stand side by side, so that their bars can be told apart.
    beside = across + _BESIDE * share * (across.max() - across.min())
    spans = np.array([mean - low, high - mean])
    settings = {"color": colour, "linestyle": dash, "marker": marker, "markersize": 4}
    axes.errorbar(beside, mean, spans, label=label, elinewidth=0.8, **settings)


def _points(axes, known, label, look, share):
    colour, _, marker = look
    across, mean, low, high = known
    spans = np.array([mean - low, high - mean])
    axes.errorbar(
        *(across + 0.6 * share, mean, spans), color=colour, fmt=marker, label=label, markersize=5
    )


def _dress(axes, figure):
    axes.set(xlabel=figure["across"], ylabel=figure["up"], facecolor="none")
    if figure.get("signed"):
        axes.axhline(0, color=theme.INK, linewidth=0.8)
    else:
        axes.set_ylim(-3, 103)
    title = textwrap.fill(figure["title"], 58)
    axes.figure.suptitle(title, x=0.03, ha="left", fontsize=11, color=theme.INK)
    if figure["ticks"]:
        axes.set_xticks(figure["places"], figure["ticks"], rotation=30, ha="right")
        axes.set_xlim(figure["places"][0] - 0.5, figure["places"][-1] + 0.5)
    else:
        axes.locator_params(axis="x", nbins=5)
    axes.grid(color=theme.RULE)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        # Long enough for a dash to be seen beside the marker.
        length = 3.5 if figure.get("colours") else None
        look = {"frameon": False, "fontsize": 9, "handlelength": length}
        axes.figure.legend(**look, loc="outside lower left", ncols=2)
    else:
        axes.text(0.5, 0.5, "not run yet", ha="center", transform=axes.transAxes)

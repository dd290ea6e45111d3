"""Drawing of accuracy against epsilon, each line labelled where it ends."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, panels, theme, wording

TOP = 1.1
BOTTOM = -0.03
LEADER = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of accuracy against epsilon.

    Args:
        label: name of the line.
        accuracy: fractions in [0, 1], the first at epsilon 0, then one an epsilon.
        band: one (low, high) for each accuracy, or nothing.
        bold: whether this is the line that matters.
        doubtful: whether the line is not to be believed, which is drawn and said.
    """

    label: str
    accuracy: tuple[float, ...]
    band: tuple[tuple[float, float], ...] = ()
    bold: bool = False
    doubtful: bool = False


def of_report(report: Report, lines: Sequence[Curve]) -> Callable[..., Any]:
    """Gives a function of `size` and `title` that draws lines of a report."""
    return functools.partial(
        draw,
        lines,
        report.threat_model.epsilons,
        norm=report.threat_model.norm,
        chance=1.0 / report.dataset.num_classes,
    )


def draw(
    curves: Sequence[Curve],
    epsilons: Sequence[float],
    *,
    norm: str,
    chance: float,
    size: theme.Size = theme.WIDE,
    title: str = "",
) -> Any:
    """Draws accuracy against epsilon.

    Args:
        curves: `Curve`s.
        epsilons: strictly increasing, without the leading 0.
        norm: name of the norm, for the axis.
        chance: fraction that guessing gets right, drawn dashed.
        size: of the figure.
        title: text above the figure, or "".
    """
    figure = figures.blank(size.width, size.height, title)
    labels = [_label(curve, size) for curve in curves] + [f"chance {100 * chance:.3g} %"]
    weights = ["bold" if curve.bold else "normal" for curve in curves] + ["normal"]
    widest = max(_width(figure, text, weight) for text, weight in zip(labels, weights, strict=True))
    left, right = 4.1 * theme.LETTERS, widest + LEADER + 8
    bottom, top = 3.9 * theme.LETTERS, (4.0 if title else 2.0) * theme.LETTERS
    box = (left, bottom, size.width - left - right, size.height - bottom - top)
    axes = figures.diagram(figure, box)
    points = (0.0, *epsilons)
    reach = points[-1] or 1.0
    axes.set_xlim(-0.025 * reach, 1.025 * reach)
    axes.set_ylim(BOTTOM, TOP)
    _dress(axes, points, norm, box[2])
    axes.axhline(chance, color=theme.MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1.5)
    looks = _looks(curves)
    for curve, look in zip(curves, looks, strict=True):
        _draw_line(axes, curve, look, points, size)
    ends = [*(curve.accuracy[-1] for curve in curves), chance]
    colours = [*(colour for colour, _, _ in looks), theme.MUTED]
    _draw_labels(figure, zip(labels, weights, colours, strict=True), ends, box)
    doubtful = any(curve.doubtful for curve in curves)
    subtitle = "Images still classified correctly" + (" (dotted: not reliable)" if doubtful else "")
    y = top - 0.5 * theme.LETTERS
    figures.write(figure, 8, y, subtitle, color=theme.MUTED, fontsize=theme.LETTERS)
    return figure


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Moves positions apart until each is `gap` from the next, moving them as little as possible.

    The sum of squared moves is least: after taking i * gap from the i-th smallest, positions that
    stand in the wrong order are replaced by their mean (pool adjacent violators). Then all are kept
    inside [low, high], as far as they fit.

    Example:
        >>> spread([5.0, 5.0, 9.0], gap=2.0, low=0.0, high=10.0)
        [6.0, 4.0, 9.0]
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], -i))
    blocks: list[tuple[float, int]] = []
    for rank, index in enumerate(order):
        blocks.append((wanted[index] - rank * gap, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            value, size = blocks.pop()
            total = blocks[-1][1] + size
            blocks[-1] = ((blocks[-1][0] * blocks[-1][1] + value * size) / total, total)
    free = [value for value, size in blocks for _ in range(size)]
    room = max(low, high - (len(wanted) - 1) * gap)
    placed = [0.0] * len(wanted)
    for rank, index in enumerate(order):
        placed[index] = min(max(free[rank], low), room) + rank * gap
    return placed


def _label(curve, size):
    name = wording.shortened(curve.label, size.label_length)
    return f"{name} {wording.percent(curve.accuracy[-1])}"


def _width(figure, text, weight):
    artist = figure.text(0, 0, text, fontsize=theme.LETTERS, fontweight=weight, parse_math=False)
    width = artist.get_window_extent(figure.canvas.get_renderer()).width
    artist.remove()
    return width


def _dress(axes, points, norm, width):
    panels.percents(axes)
    axes.tick_params(axis="y", length=0, labelsize=theme.LETTERS, labelcolor=theme.MUTED)
    shown = _ticks(points, axes.get_xlim(), width)
    axes.set_xticks(shown, ["0" if p == 0 else wording.epsilon(p) for p in shown])
    axes.set_xticks(points, minor=True)
    axes.tick_params(
        axis="x", which="both", color=theme.MUTED, labelsize=theme.LETTERS, labelcolor=theme.MUTED
    )
    axes.set_xlabel(f"epsilon ({norm})", fontsize=theme.LETTERS, color=theme.MUTED, labelpad=6)


def _ticks(points, limits, width):
    """Leaves out epsilons whose numbers would touch; the first and the last stay."""
    scale = width / (limits[1] - limits[0])

    def apart(low, high):
        characters = len(wording.epsilon(low)) + len(wording.epsilon(high))
        return (high - low) * scale > 0.34 * theme.LETTERS * characters + 4

    shown = [points[-1]]
    for point in reversed(points[1:-1]):
        if apart(point, shown[0]) and apart(points[0], point):
            shown.insert(0, point)
    return sorted({points[0], *shown})


def _looks(curves):
    """(colour, dash, marker) of each line."""
    thin = itertools.count()
    return [
        (theme.INK, "-", "o") if curve.bold else theme.line_look(next(thin)) for curve in curves
    ]


def _draw_line(axes, curve, look, points, size):
    colour, dash, marker = look
    if curve.band:
        low, high = zip(*curve.band, strict=True)
        axes.fill_between(points, low, high, color=colour, alpha=0.13, linewidth=0, zorder=2)
    axes.plot(
        points,
        curve.accuracy,
        color=colour,
        linestyle=(0, (2, 2)) if curve.doubtful else dash,
        linewidth=3.2 if curve.bold else 1.6,
        marker=marker,
        markevery=slice(1, None),
        markersize=6.5 if curve.bold else 5,
        markerfacecolor=theme.PAPER if curve.doubtful else colour,
        zorder=4 if curve.bold else 3,
    )
    for point, accuracy in zip(points, curve.accuracy, strict=True):
        where = f"at epsilon {wording.epsilon(point)}" if point else "without attack"
        said = f"{wording.visible(curve.label)}: {wording.percent(accuracy)} {where}"
        figures.hover(axes, point, accuracy, said, size)
    axes.plot([0.0], [curve.accuracy[0]], "o", color=colour, markersize=8, zorder=5)
    if curve.bold:
        axes.annotate(
            f"no attack {wording.percent(curve.accuracy[0])}",
            (0.0, curve.accuracy[0]),
            xytext=(0, 8),
            textcoords="offset points",
            color=theme.INK,
            fontsize=theme.LETTERS,
            bbox={"facecolor": theme.PAPER, "edgecolor": "none", "pad": 1.0},
            zorder=6,
        )


def _draw_labels(figure, labels, ends, box):
    """Writes (text, weight, colour of its line) beside each line's end, the last that of chance."""
    import matplotlib.lines

    left, bottom, width, height = box
    scale = height / (TOP - BOTTOM)
    wanted = [bottom + (end - BOTTOM) * scale for end in ends]
    gap = 1.32 * theme.LETTERS
    placed = spread(wanted, gap, bottom + 0.3 * gap, bottom + height)
    edge = left + width * (1 - 0.025 / 1.05) + 6
    wide, high = 72 * figure.get_size_inches()
    for (text, weight, colour), end, y in zip(labels, wanted, placed, strict=True):
        across = [edge / wide, (edge + LEADER - 4) / wide]
        leader = [end / high, y / high]
        figure.add_artist(matplotlib.lines.Line2D(across, leader, color=colour, linewidth=1.0))
        figures.write(
            figure,
            edge + LEADER - 1,
            high - y,
            text,
            color=theme.MUTED if colour == theme.MUTED else theme.INK,
            fontsize=theme.LETTERS,
            fontweight=weight,
            verticalalignment="center_baseline",
        )

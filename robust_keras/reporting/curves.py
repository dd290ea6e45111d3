"""Drawing of accuracy against epsilon, each line labelled where it ends."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, wording
from robust_keras.reporting import theme as themes
from robust_keras.reporting.theme import Size, Theme

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
    """Gives a function of `paper`, `size` and `title` that draws lines of a report."""
    return lambda paper="light", size="wide", title="": draw(
        lines,
        report.threat_model.epsilons,
        norm=report.threat_model.norm,
        chance=1.0 / report.dataset.num_classes,
        theme=themes.THEMES[paper],
        size=themes.SIZES[size],
        title=title,
    )


def draw(
    curves: Sequence[Curve],
    epsilons: Sequence[float],
    *,
    norm: str,
    chance: float,
    theme: Theme,
    size: Size,
    title: str = "",
) -> Any:
    """Draws accuracy against epsilon.

    Args:
        curves: `Curve`s.
        epsilons: strictly increasing, without the leading 0.
        norm: name of the norm, for the axis.
        chance: fraction that guessing gets right, drawn dashed.
        theme: `Theme`.
        size: `Size`.
        title: text above the figure, or "".

    Returns:
        A `matplotlib.figure.Figure` of 72 dots an inch, so that a point is a CSS pixel.
    """
    figure = figures.blank(size.width, size.height, theme)
    labels = [_label(curve, size) for curve in curves] + [f"chance {100 * chance:.3g} %"]
    weights = ["bold" if curve.bold else "normal" for curve in curves] + ["normal"]
    widest = max(
        _width(figure, text, size.type_size, weight)
        for text, weight in zip(labels, weights, strict=True)
    )
    left, right = 4.1 * size.type_size, widest + LEADER + 8
    bottom, top = 3.9 * size.type_size, (4.0 if title else 2.0) * size.type_size
    box = (left, bottom, size.width - left - right, size.height - bottom - top)
    axes = figure.add_axes(_relative(box, size), facecolor=theme.paper)
    points = (0.0, *epsilons)
    reach = points[-1] or 1.0
    axes.set_xlim(-0.025 * reach, 1.025 * reach)
    axes.set_ylim(BOTTOM, TOP)
    _dress(axes, points, norm, theme, size, box[2])
    _draw_lines(axes, curves, points, chance, theme, size)
    _draw_labels(
        figure, labels, [*(c.accuracy[-1] for c in curves), chance], curves, theme, size, box
    )
    doubtful = any(curve.doubtful for curve in curves)
    subtitle = "Images still classified correctly" + (" (dotted: not reliable)" if doubtful else "")
    y = box[1] + box[3] + 0.5 * size.type_size
    _text(figure, 8, y, subtitle, theme.muted, size.type_size, size)
    if title:
        _text(
            figure,
            8,
            size.height - 1.5 * size.type_size,
            title,
            theme.ink,
            1.1 * size.type_size,
            size,
        )
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


def _relative(box, size):
    return (
        box[0] / size.width,
        box[1] / size.height,
        box[2] / size.width,
        box[3] / size.height,
    )


def _label(curve, size):
    name = wording.shortened(curve.label, size.label_length)
    return f"{name} {wording.percent(curve.accuracy[-1])}"


def _width(figure, text, type_size, weight):
    # Names come from strangers: a dollar sign must not start mathematics.
    artist = figure.text(0, 0, text, fontsize=type_size, fontweight=weight, parse_math=False)
    width = artist.get_window_extent(figure.canvas.get_renderer()).width
    artist.remove()
    return width


def _text(figure, x, y, text, colour, type_size, size, **style):
    figure.text(
        x / size.width,
        y / size.height,
        text,
        color=colour,
        fontsize=type_size,
        parse_math=False,
        **style,
    )


def _dress(axes, points, norm, theme, size, width):
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.muted)
    axes.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.grid(axis="y", color=theme.rule, linewidth=1)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0, labelsize=size.type_size, labelcolor=theme.muted)
    shown = _ticks(points, axes.get_xlim(), width, size.type_size)
    axes.set_xticks(shown, ["0" if p == 0 else wording.epsilon(p) for p in shown])
    axes.set_xticks(points, minor=True)
    axes.tick_params(
        axis="x", which="both", color=theme.muted, labelsize=size.type_size, labelcolor=theme.muted
    )
    axes.set_xlabel(f"epsilon ({norm})", fontsize=size.type_size, color=theme.muted, labelpad=6)


def _ticks(points, limits, width, type_size):
    """Leaves out epsilons whose numbers would touch; the first and the last stay."""
    scale = width / (limits[1] - limits[0])

    def apart(low, high):
        characters = len(wording.epsilon(low)) + len(wording.epsilon(high))
        return (high - low) * scale > 0.34 * type_size * characters + 4

    shown = [points[-1]]
    for point in reversed(points[1:-1]):
        if apart(point, shown[0]) and apart(points[0], point):
            shown.insert(0, point)
    return sorted({points[0], *shown})


def _draw_lines(axes, curves, points, chance, theme, size):
    axes.axhline(chance, color=theme.muted, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1.5)
    index = 0
    for curve in curves:
        if curve.bold:
            colour, dash, marker = theme.ink, "-", "o"
        else:
            colour, dash, marker = themes.line_look(theme, index)
            index += 1
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
            markerfacecolor=theme.paper if curve.doubtful else colour,
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
                color=theme.ink,
                fontsize=size.type_size,
                bbox={"facecolor": theme.paper, "edgecolor": "none", "pad": 1.0},
                zorder=6,
            )


def _draw_labels(figure, labels, ends, curves, theme, size, box):
    import matplotlib.lines

    left, bottom, width, height = box
    scale = height / (TOP - BOTTOM)
    wanted = [bottom + (end - BOTTOM) * scale for end in ends]
    gap = 1.32 * size.type_size
    placed = spread(wanted, gap, bottom + 0.3 * gap, bottom + height)
    edge = left + width * (1 - 0.025 / 1.05) + 6
    index = 0
    for i, (text, y) in enumerate(zip(labels, placed, strict=True)):
        chance = i == len(curves)
        bold = not chance and curves[i].bold
        colour = theme.muted if chance else theme.ink
        if not chance and not bold:
            colour = themes.line_look(theme, index)[0]
            index += 1
        figure.add_artist(
            matplotlib.lines.Line2D(
                [edge / size.width, (edge + LEADER - 4) / size.width],
                [wanted[i] / size.height, y / size.height],
                color=colour,
                linewidth=1.0,
            )
        )
        _text(
            figure,
            edge + LEADER - 1,
            y,
            text,
            theme.muted if chance else theme.ink,
            size.type_size,
            size,
            fontweight="bold" if bold else "normal",
            verticalalignment="center_baseline",
        )

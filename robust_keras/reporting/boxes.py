"""Drawing of the smallest epsilons: one box a class, and one for all images."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

from robust_keras.findings import ClassEpsilons, MinimalEpsilonReport, Report
from robust_keras.findings.minimal_epsilon import FEW
from robust_keras.reporting import figures, grid, theme, wording

# The classes that fall first, where there are more.
MOST_CLASSES = 20
HEIGHT = 0.62


def shown_classes(minimal: MinimalEpsilonReport) -> list[ClassEpsilons]:
    """Gives the classes that are drawn, in the order of their labels."""
    firsts = sorted(minimal.classes, key=lambda c: (_end(c.quantiles[2], minimal), c.label))
    return sorted(firsts[:MOST_CLASSES], key=lambda c: c.label)


def of_model(report: Report, model: Any) -> Callable[..., Any]:
    """Gives a function of `size` and `title` that draws a model's smallest epsilons."""
    return functools.partial(
        draw,
        model.minimal_epsilon,
        norm=report.threat_model.norm,
        class_names=report.dataset.class_names,
    )


def draw(
    minimal: MinimalEpsilonReport,
    *,
    norm: str,
    class_names: Sequence[str],
    size: theme.Size = theme.WIDE,
    title: str = "",
) -> Any:
    """Draws one box a class: the middle half of its images, their median, and 5 to 95 %.

    Of fewer than `FEW` images each is a point instead. Every name is followed by their number.

    Args:
        minimal: `MinimalEpsilonReport`.
        norm: name of the norm, for the axis.
        class_names: one a class, or none.
        size: the height follows from the number of boxes.
        title: text above the figure, or "".
    """
    rows = _rows(minimal, class_names)
    names = [
        f"{wording.shortened(name, size.label_length // 2)} (n={images})"
        for name, images, _ in rows
    ]
    step = 1.9 * theme.LETTERS
    top, bottom = (3.6 if title else 2.2) * theme.LETTERS, 3.6 * theme.LETTERS
    height = top + bottom + step * len(rows)
    figure = figures.blank(size.width, height, title)
    left = 8 + 0.62 * theme.LETTERS * max(map(len, names)) + 8
    box = (left, bottom, size.width - left - 30, step * len(rows))
    axes = figures.diagram(figure, box, lines="x")
    axes.set_xlim(0.0, minimal.largest)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for place, (_, images, values) in enumerate(rows):
        colour = theme.INK if place == 0 else theme.LINES[0]
        draw_row = _draw_points if images < FEW else _draw_box
        ends = [_end(value, minimal) for value in values]
        draw_row(axes, place, ends, colour)
        for end, value in zip(ends, values, strict=True):
            said = f"above {minimal.largest:.3g}" if value is None else f"{value:.3g}"
            at = min(end, minimal.largest)
            figures.hover(axes, at, place, f"{wording.visible(names[place])}: {said}", size)
    _dress(axes, names, norm, size)
    subtitle = "Smallest epsilon found: middle half, median, 5 to 95 %"
    y = top - 0.7 * theme.LETTERS
    figures.write(figure, 8, y, subtitle, color=theme.MUTED, fontsize=theme.LETTERS)
    return figure


def _rows(minimal, class_names):
    """(name, number of images, what is drawn) of all images, then of each class."""
    total = sum(c.images for c in minimal.classes)
    every = [value for c in minimal.classes for value in _points(c)]
    every = sorted(v for v in every if v is not None) + [None] * every.count(None)
    rows = [("all", total, every if total < FEW else minimal.quantiles)]
    for c in shown_classes(minimal):
        values = _points(c) if c.images < FEW else c.quantiles
        rows.append((grid.class_name(c.label, class_names), c.images, values))
    return rows


def _points(c):
    """The epsilons of a few images; each quantile is one of them where no more is known."""
    return c.epsilons or tuple(dict.fromkeys(c.quantiles))


def _end(value, minimal):
    """Where a quantile is drawn: one beyond the largest epsilon, a little past the axis' end."""
    return 1.05 * minimal.largest if value is None else value


def _draw_points(axes, place, ends, colour):
    # Beyond the axis' end, where a box would be cut, a point must still be seen.
    shown = [min(end, axes.get_xlim()[1]) for end in ends]
    axes.scatter(
        shown,
        [place] * len(shown),
        s=34,
        color=colour,
        alpha=0.6,
        edgecolors=theme.PAPER,
        linewidths=0.8,
        zorder=4,
        clip_on=False,
    )


def _draw_box(axes, place, ends, colour):
    import matplotlib.patches

    low, first, middle, last, high = ends
    axes.plot([low, high], [place, place], color=colour, linewidth=1.4, zorder=2)
    axes.add_patch(
        matplotlib.patches.Rectangle(
            (first, place - HEIGHT / 2),
            last - first,
            HEIGHT,
            facecolor=colour,
            edgecolor=colour,
            alpha=0.3,
            zorder=3,
        )
    )
    edges = [place - HEIGHT / 2, place + HEIGHT / 2]
    axes.plot([middle, middle], edges, color=theme.INK, linewidth=2.6, zorder=4, clip_on=True)


def _dress(axes, names, norm, size):
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.locator_params(axis="x", nbins=5 if size.width < 500 else 8)
    axes.tick_params(axis="y", length=0, labelsize=theme.LETTERS, labelcolor=theme.INK)
    axes.tick_params(axis="x", color=theme.MUTED, labelsize=theme.LETTERS, labelcolor=theme.MUTED)
    axes.set_xlabel(f"epsilon ({norm})", fontsize=theme.LETTERS, color=theme.MUTED, labelpad=4)

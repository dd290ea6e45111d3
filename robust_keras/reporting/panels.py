"""Several small diagrams in one figure, side by side where there is room."""

from collections.abc import Sequence
from typing import Any

from robust_keras.reporting import figures, theme, wording

_TITLE_LENGTH = 40


def sheet(
    titles: list[str],
    *,
    size: theme.Size,
    title: str = "",
    columns: int = 2,
    narrow: int = 1,
    height: float = 210,
    names: float = 4.1,
    key: bool = False,
) -> tuple[Any, list[Any]]:
    """Gives a figure with one empty diagram a title, in rows of `columns` or `narrow`.

    Args:
        titles: of the diagrams, at least one.
        size: the height follows from the number of rows.
        title: text above the figure, or "".
        columns: most diagrams in a row.
        narrow: the same where the figure is narrow.
        height: of a diagram with its title and numbers, in CSS pixels.
        key: whether a line is left for `key` above the diagrams.
        names: room for what stands left of a diagram, in letters' heights.

    Returns:
        `(figure, axes)`, a `matplotlib.figure.Figure` and one `Axes` a title.
    """
    letters = theme.LETTERS
    columns = min(narrow if size.width < 500 else columns, len(titles))
    rows = -(-len(titles) // columns)
    top = (2.6 if title else 0.4) * letters + (2.0 * letters if key else 0.0)
    whole = top + rows * height
    figure = figures.blank(size.width, whole, title)
    left, above, below = names * letters, 2.0 * letters, 3.6 * letters
    wide = size.width / columns
    made = []
    for number, name in enumerate(titles):
        row, column = divmod(number, columns)
        x, y = column * wide + left, whole - top - (row + 1) * height + below
        box = (x, y, wide - left - 1.6 * letters, height - above - below)
        axes = figures.diagram(figure, box)
        _dress(axes, wording.shortened(name, _TITLE_LENGTH))
        made.append(axes)
    return figure, made


def spaced(items: Sequence[Any], most: int) -> list[Any]:
    """Gives all items, or so many of them from the first to the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(n * (len(items) - 1) / (most - 1))] for n in range(most)]


def label(axes: Any, text: str) -> None:
    """Names what a diagram shows from left to right."""
    axes.set_xlabel(text, fontsize=theme.LETTERS, color=theme.MUTED, labelpad=4)


def percents(axes: Any, side: str = "y") -> None:
    """Writes fractions in [0, 1] along a side as percents."""
    axis = axes.yaxis if side == "y" else axes.xaxis
    axis.set_ticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])


def logarithmic(axes: Any, side: str = "y") -> None:
    """Makes a side logarithmic, its numbers written out."""
    getattr(axes, f"set_{side}scale")("log")
    axis = axes.yaxis if side == "y" else axes.xaxis
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: "")
    axis.set_tick_params(which="minor", length=0)


def legend(axes: Any, place: str = "best") -> None:
    """Tells the lines of a diagram apart, by the labels that they were drawn with."""
    axes.legend(
        loc=place,
        fontsize=theme.LETTERS - 1,
        labelcolor=theme.INK,
        facecolor=theme.PAPER,
        edgecolor="none",
        framealpha=0.85,
        handlelength=1.6,
        borderaxespad=0.2,
    )


def key(figure: Any, axes: Any) -> None:
    """Tells the lines of all diagrams apart, in the line that `sheet` left for it."""
    handles, names = axes.get_legend_handles_labels()
    down = (2.6 if figure.texts else 0.2) * theme.LETTERS / (72 * figure.get_figheight())
    figure.legend(
        handles,
        names,
        loc="upper left",
        bbox_to_anchor=(4.1 * theme.LETTERS / (72 * figure.get_figwidth()), 1.0 - down),
        ncols=len(names),
        fontsize=theme.LETTERS - 1,
        labelcolor=theme.INK,
        frameon=False,
        handlelength=1.6,
        borderpad=0.0,
        borderaxespad=0.0,
    )


def _dress(axes, title):
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", color=theme.MUTED)
    axes.tick_params(labelsize=theme.LETTERS - 1, labelcolor=theme.MUTED)
    style = {"fontsize": theme.LETTERS, "color": theme.INK, "parse_math": False}
    axes.set_title(title, loc="left", pad=0.5 * theme.LETTERS, **style)

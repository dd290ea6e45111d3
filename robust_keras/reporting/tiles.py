"""Pictures side by side, each with a few words below."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import figures
from robust_keras.reporting.picture_plane import PicturePlane
from robust_keras.reporting.theme import Size, Theme


@dataclasses.dataclass(frozen=True, eq=False)
class Tile:
    """One picture.

    Args:
        pixels: uint8 array (height, width, 3 or 4).
        caption: below it, of one line or more.
    """

    pixels: np.ndarray
    caption: str = ""


def draw(
    rows: Sequence[tuple[str, Sequence[Tile]]],
    *,
    theme: Theme,
    size: Size,
    columns: int,
    title: str = "",
) -> Any:
    """Draws groups of pictures, each under its heading.

    Args:
        rows: pairs of a heading and its pictures; "" for none.
        theme: `Theme`.
        size: `Size`, of which the width is taken.
        columns: pictures in a row.
        title: text above the figure, or "".

    Returns:
        A `matplotlib.figure.Figure`.
    """
    letters, gap = size.type_size - 1.5, 6
    cell = (size.width - 16 - gap * (columns - 1)) / columns
    top = 2.6 * size.type_size if title else 0.3 * size.type_size
    steps = [cell + gap + 1.3 * letters * _lines(tiles) for _, tiles in rows]
    heights = [
        (1.9 * letters if heading else 0) + step * -(-len(tiles) // columns)
        for step, (heading, tiles) in zip(steps, rows, strict=True)
    ]
    whole = top + sum(heights) + 4
    figure = figures.blank(size.width, whole, theme)
    plane = PicturePlane(figure, theme)
    style = {"color": theme.ink, "parse_math": False}
    if title:
        y = 1 - 1.5 * size.type_size / whole
        figure.text(8 / size.width, y, title, fontsize=1.1 * size.type_size, **style)
    for (heading, tiles), step, height in zip(rows, steps, heights, strict=True):
        y = top
        if heading:
            place = 8 / size.width, 1 - (top + 1.2 * letters) / whole
            figure.text(*place, heading, fontsize=letters, **style)
            y += 1.9 * letters
        for number, tile in enumerate(tiles):
            row, column = divmod(number, columns)
            box = 8 + column * (cell + gap), y + row * step, cell
            plane.put(tile.pixels, *box)
            _write(figure, tile.caption, box, (size.width, whole), letters, theme)
        top += height
    return figure


def _lines(tiles):
    return max(len(tile.caption.splitlines()) for tile in tiles)


def _write(figure, caption, box, whole, letters, theme):
    """A caption below its picture."""
    x, y, cell = box
    width, height = whole
    middle = {"horizontalalignment": "center", "verticalalignment": "top"}
    style = {"color": theme.ink, "parse_math": False, "fontsize": letters}
    at = (x + cell / 2) / width, 1 - (y + cell + 3) / height
    figure.text(*at, caption, **middle, **style)

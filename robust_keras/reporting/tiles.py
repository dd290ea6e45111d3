"""Pictures side by side, each with a few words below."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import figures, theme
from robust_keras.reporting.picture_plane import PicturePlane


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
    size: theme.Size,
    columns: int,
    title: str = "",
) -> Any:
    """Draws groups of pictures, each under its heading.

    Args:
        rows: pairs of a heading and its pictures; "" for none.
        size: its width is taken.
        columns: pictures in a row.
        title: text above the figure, or "".
    """
    letters, gap = theme.LETTERS - 1.5, 6
    cell = (size.width - 16 - gap * (columns - 1)) / columns
    top = 2.6 * theme.LETTERS if title else 0.3 * theme.LETTERS
    steps = [cell + gap + 1.3 * letters * _lines(tiles) for _, tiles in rows]
    heights = [
        (1.9 * letters if heading else 0) + step * -(-len(tiles) // columns)
        for step, (heading, tiles) in zip(steps, rows, strict=True)
    ]
    whole = top + sum(heights) + 4
    figure = figures.blank(size.width, whole, title)
    plane = PicturePlane(figure)
    middle = {"horizontalalignment": "center", "verticalalignment": "top", "fontsize": letters}
    for (heading, tiles), step, height in zip(rows, steps, heights, strict=True):
        y = top
        if heading:
            figures.write(figure, 8, top + 1.2 * letters, heading, fontsize=letters)
            y += 1.9 * letters
        for number, tile in enumerate(tiles):
            row, column = divmod(number, columns)
            left, upper = 8 + column * (cell + gap), y + row * step
            plane.put(tile.pixels, left, upper, cell)
            figures.write(figure, left + cell / 2, upper + cell + 3, tile.caption, **middle)
        top += height
    return figure


def _lines(tiles):
    return max(len(tile.caption.splitlines()) for tile in tiles)

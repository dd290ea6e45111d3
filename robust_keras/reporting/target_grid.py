"""Drawing of which class can be made of which: pictures, a row a class, a column an answer."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import figures, grid, theme, wording

# Pixels of a picture and of the gap beside it, in the one image that all are put into.
_PICTURE, _GAP = 96, 8
# Letters of a class' name beside its row.
_ROW_NAME = 8


def draw(
    targets: Any,
    *,
    class_names: Sequence[str] = (),
    size: theme.Size = theme.WIDE,
    title: str = "",
) -> Any:
    """Draws a `TargetsReport`: images on the diagonal, beside each what it was turned into."""
    count = 1 + max(max(one.source, one.answer) for one in targets.pictures)
    letters = theme.LETTERS - 1.5
    names = [grid.class_name(c, class_names) for c in range(count)]
    left = 10 + 0.6 * letters * max(len(wording.shortened(name, _ROW_NAME)) for name in names)
    top = (2.6 if title else 0.4) * theme.LETTERS + 1.8 * letters
    step = (size.width - left - 6) / count
    place = left, top, step, step + 1.4 * letters
    figure = figures.blank(size.width, top + count * place[-1] + 4, title)
    write = functools.partial(figures.write, figure, fontsize=letters)
    _heads(write, names, place, letters)
    _place(figure, targets.pictures, count, place)
    for one in targets.pictures:
        x, y = left + (one.answer + 0.5) * step, top + one.source * place[-1] + step
        look = {"fontweight": "bold"} if one.source == one.answer else {"color": theme.MUTED}
        text = f"{int(100 * one.confidence)}{wording.NO_BREAK_SPACE}%"
        write(x, y + 0.85 * letters, text, ha="center", **look)
    return figure


def _heads(write, names, place, letters):
    """The names of the answers above the columns, and of the classes left of the rows."""
    left, top, step, line = place
    for number, name in enumerate(names):
        short = wording.shortened(name, max(int(step / (0.62 * letters)), 2))
        write(left + (number + 0.5) * step, top - 0.6 * letters, short, ha="center")
        row = top + number * line + step / 2
        write(6, row, wording.shortened(name, _ROW_NAME), va="center")


def _place(figure, pictures, count, place):
    """All pictures as one image, see-through where there is none."""
    left, top, step, line = place
    unit = step / (_PICTURE + _GAP)
    down = round(line / unit)
    canvas = np.zeros((count * down, count * (_PICTURE + _GAP), 4), np.uint8)
    for one in pictures:
        shown = _enlarged(grid.rgb(one.image / 255.0))
        y, x = one.source * down, one.answer * (_PICTURE + _GAP) + _GAP // 2
        canvas[y : y + len(shown), x : x + shown.shape[1], :3] = shown
        canvas[y : y + len(shown), x : x + shown.shape[1], 3] = 255
    width, height = 72 * figure.get_size_inches()
    tall = count * line
    axes = figure.add_axes(
        (left / width, 1 - (top + tall) / height, count * step / width, tall / height)
    )
    axes.imshow(canvas, interpolation="none", aspect="auto")
    axes.set_axis_off()


def _enlarged(pixels):
    """A picture of the grid's size, every pixel kept."""
    rows, columns = (np.arange(_PICTURE) * side // _PICTURE for side in pixels.shape[:2])
    return pixels[rows][:, columns]

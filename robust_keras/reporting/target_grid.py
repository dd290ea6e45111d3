"""Drawing of which class can be made of which: pictures, a row a class, a column an answer."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import figures, grid, wording
from robust_keras.reporting import theme as themes

# Pixels of a picture and of the gap beside it, in the one image that all are put into.
_PICTURE, _GAP = 96, 8
# Letters of a class' name beside its row.
_ROW_NAME = 8


def draw(
    targets: Any,
    *,
    class_names: Sequence[str] = (),
    paper: str = "light",
    size: str = "wide",
    title: str = "",
) -> Any:
    """Draws each image as it is on the diagonal, and to its left and right what it was turned into.

    Args:
        targets: `TargetsReport` with pictures.
        class_names: nothing, or one name a class.
        paper: name of a theme.
        size: name of a size.
        title: text above the figure, or "".
    """
    look, room = themes.THEMES[paper], themes.SIZES[size]
    count = 1 + max(max(one.source, one.answer) for one in targets.pictures)
    letters = room.type_size - 1.5
    names = [grid.class_name(c, class_names) for c in range(count)]
    left = 10 + 0.6 * letters * max(len(wording.shortened(name, _ROW_NAME)) for name in names)
    top = (2.6 if title else 0.4) * room.type_size + 1.8 * letters
    step = (room.width - left - 6) / count
    place = left, top, step, step + 1.4 * letters
    figure = figures.blank(room.width, top + count * place[-1] + 4, look)
    write = functools.partial(_write, figure, look, letters)
    if title:
        _write(figure, look, 1.1 * room.type_size, 8, 1.5 * room.type_size, title, ha="left")
    _heads(write, names, place, letters)
    _place(figure, targets.pictures, count, place)
    for one in targets.pictures:
        x, y = left + (one.answer + 0.5) * step, top + one.source * place[-1] + step
        weight = {"fontweight": "bold"} if one.source == one.answer else {"color": look.muted}
        text = f"{int(100 * one.confidence)}{wording.NO_BREAK_SPACE}%"
        write(x, y + 0.85 * letters, text, **weight)
    return figure


def _write(figure, look, letters, x, y, text, **style):
    """A text at a place in pixels from the upper left corner."""
    width, height = 72 * figure.get_size_inches()
    usual = {"color": look.ink, "ha": "center", "va": "baseline", "fontsize": letters}
    figure.text(x / width, 1 - y / height, text, parse_math=False, **(usual | style))


def _heads(write, names, place, letters):
    """The names of the answers above the columns, and of the classes left of the rows."""
    left, top, step, line = place
    for number, name in enumerate(names):
        short = wording.shortened(name, max(int(step / (0.62 * letters)), 2))
        write(left + (number + 0.5) * step, top - 0.6 * letters, short)
        row = top + number * line + step / 2
        write(6, row, wording.shortened(name, _ROW_NAME), ha="left", va="center")


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

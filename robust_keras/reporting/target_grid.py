"""Drawing of which class can be made of which: pictures, a row a class, a column an answer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import figures, grid, wording
from robust_keras.reporting import theme as themes

# Pixels of a picture and of the gap beside it, in the one image that all are put into.
_PICTURE, _GAP = 96, 8


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
    pictures = targets.pictures
    count = 1 + max(max(one.source, one.answer) for one in pictures)
    letters = room.type_size - 1.5
    names = [_name(c, class_names, 8) for c in range(count)]
    left = 10 + 0.6 * letters * max(map(len, names))
    top = (2.6 if title else 0.4) * room.type_size + 1.8 * letters
    step = (room.width - left - 6) / count
    line = step + 1.4 * letters
    height = top + count * line + 4
    figure = figures.blank(room.width, height, look)
    style = {"color": look.ink, "parse_math": False, "fontsize": letters}
    if title:
        place = 8 / room.width, 1 - 1.5 * room.type_size / height
        figure.text(*place, title, **(style | {"fontsize": 1.1 * room.type_size}))
    across = {"horizontalalignment": "center", "verticalalignment": "baseline"}
    for number in range(count):
        x, y = left + (number + 0.5) * step, top - 0.6 * letters
        text = _name(number, class_names, max(int(step / (0.62 * letters)), 2))
        figure.text(x / room.width, 1 - y / height, text, **style, **across)
        y = top + number * line + step / 2
        figure.text(
            6 / room.width, 1 - y / height, names[number], verticalalignment="center", **style
        )
    _place(figure, pictures, count, (left, top, step, line), (room.width, height))
    for one in pictures:
        x, y = left + (one.answer + 0.5) * step, top + one.source * line + step + 0.85 * letters
        weight = {"fontweight": "bold"} if one.source == one.answer else {"color": look.muted}
        text = f"{int(100 * one.confidence)}{wording.NO_BREAK_SPACE}%"
        figure.text(x / room.width, 1 - y / height, text, **(style | across | weight))
    return figure


def _name(number, class_names, length):
    return wording.shortened(grid.class_name(number, class_names), length)


def _place(figure, pictures, count, place, whole):
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
    width, height = whole
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

"""Pictures of fooling images: one row a way of making them, one column a class."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.findings import FoolingImageReport, FoolingReport
from robust_keras.reporting import figures, grid, wording
from robust_keras.reporting.picture_plane import PicturePlane

MOST_SHOWN = 10
TITLES = {
    "fooling_gradient": "Gradient ascent",
    "fooling_direct": "Bred pixel by pixel",
    "fooling_cppn": "Bred as painting networks",
}


def title(name: str) -> str:
    """Gives the words for a way of making fooling images, or its name."""
    return TITLES.get(name, wording.visible(name))


def shown(fooling: FoolingReport) -> list[FoolingImageReport]:
    """Gives the first `MOST_SHOWN` images whose pixels were kept."""
    return [image for image in fooling.images if image.pixels is not None][:MOST_SHOWN]


def picture(image: FoolingImageReport) -> np.ndarray:
    """Gives the pixels of a `FoolingImageReport` as uint8 (height, width, 3)."""
    return grid.rgb(image.image / 255.0)


def draw(rows: Sequence[FoolingReport], *, heading: str, class_names: Sequence[str] = ()) -> Any:
    """Draws each `FoolingReport` as a row of pictures with class and confidence below.

    Args:
        rows: `FoolingReport`s with at least one image to show.
        heading: text above the figure.
        class_names: nothing, or one name a class.
    """
    cell, gap, left, top, below = 84, 8, 8, 44, 82
    columns = max(len(shown(row)) for row in rows)
    width = max(left + columns * (cell + gap), 420)
    height = top + len(rows) * (cell + below) + 4
    figure = figures.blank(width, height)
    plane = PicturePlane(figure)
    middle = {"horizontalalignment": "center", "verticalalignment": "top", "fontsize": 11}
    figures.write(figure, left, 22, heading, fontsize=13)
    for number, row in enumerate(rows):
        line = top + number * (cell + below)
        figures.write(figure, left, line + 12, title(row.name), fontsize=11)
        for column, image in enumerate(shown(row)):
            x, y = left + column * (cell + gap), line + 18
            plane.put(picture(image), x, y, cell)
            words = caption(image, class_names)
            figures.write(figure, x + cell / 2, y + cell + 4, words, **middle)
    return figure


def caption(image: FoolingImageReport, class_names: Sequence[str] = ()) -> str:
    """Writes class, confidence and whether it is not accepted, each on a line of its own."""
    name = wording.shortened(grid.class_name(image.class_index, class_names), 12)
    lines = [
        name,
        wording.confidence(image.confidence),
        *([] if image.accepted else ["not accepted"]),
    ]
    return "\n".join(lines)

"""Pictures on a figure, placed in CSS pixels from its upper left corner."""

from typing import Any

import numpy as np

from robust_keras.reporting import theme


class PicturePlane:
    """One set of axes under all pictures of a figure: axes of their own cost ten times the time.

    Args:
        figure: of matplotlib, made by `figures.blank`.
    """

    def __init__(self, figure: Any):
        width, height = 72 * figure.get_size_inches()
        # Pictures that were put together into one would be as coarse as the page.
        figure.suppressComposite = True
        self._axes = figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, width), ylim=(height, 0))
        self._axes.set_axis_off()

    def put(self, pixels: np.ndarray, x: float, y: float, side: float, framed: bool = True) -> None:
        """Puts a picture into the middle of a square, as large as fits.

        Args:
            pixels: uint8 array (height, width, 3 or 4).
            x: of the square's left side.
            y: of its upper side.
            side: its length.
            framed: whether a line goes round, as a picture may be as white as the paper.
        """
        import matplotlib.patches

        tall, wide = (side * of / max(pixels.shape[:2]) for of in pixels.shape[:2])
        left, top = x + (side - wide) / 2, y + (side - tall) / 2
        box = (left, left + wide, top + tall, top)
        self._axes.imshow(pixels, interpolation="nearest", extent=box, aspect="auto")
        if framed:
            frame = matplotlib.patches.Rectangle(
                (left, top), wide, tall, fill=False, edgecolor=theme.RULE, linewidth=0.8
            )
            self._axes.add_patch(frame)

"""Colours, line shapes and sizes of the figures."""

import dataclasses
from typing import Any

# On the page these are names of colours in style.css, which has them for a dark page as well.
PAPER, INK, MUTED, RULE = "#ffffff", "#16191d", "#5a636e", "#e3e6ea"
# One colour a line, told apart by people with any colour vision (after Okabe and Ito, 2008), each
# with a contrast of at least 3 to the paper.
LINES = ("#0072b2", "#c75200", "#008563", "#a8487f", "#8a6100", "#3b86ba", "#6b7280")
# Height of letters in CSS pixels. A figure on the page is drawn once: they can be read on a phone
# and are not huge on a wide screen.
LETTERS = 12.5
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))


@dataclasses.dataclass(frozen=True)
class Size:
    """Size of a figure in CSS pixels, how long a label may be, and what it is for."""

    width: int
    height: int
    label_length: int
    on_page: bool = False


WIDE = Size(width=680, height=400, label_length=28)
PAGE = Size(width=460, height=340, label_length=20, on_page=True)


def line_look(index: int) -> tuple[str, Any, str]:
    """Gives (colour, dash, marker) of a line; no two of the first 28 look alike."""
    return (
        LINES[index % len(LINES)],
        DASHES[index // len(LINES) % len(DASHES)],
        MARKERS[index % len(MARKERS)],
    )

"""Colours, line shapes and sizes of the figures."""

import dataclasses
from typing import Any

MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))


@dataclasses.dataclass(frozen=True)
class Theme:
    """Colours of a figure; on the page they are names of colours in style.css.

    Args:
        paper: background.
        ink: text and the line that matters most.
        muted: axes and side remarks.
        rule: grid lines.
        lines: one colour a line, told apart by people with any colour vision (after Okabe and Ito,
            2008), each with a contrast of at least 3 to the paper.
    """

    paper: str
    ink: str
    muted: str
    rule: str
    lines: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Size:
    """Size of a figure in CSS pixels, its type size, how long a label may be, and what it is for.

    A figure on the page is drawn once: its letters can be read on a phone and are not huge on a
    wide screen.
    """

    width: int
    height: int
    type_size: float
    label_length: int
    on_page: bool = False


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#16191d",
        muted="#5a636e",
        rule="#e3e6ea",
        lines=("#0072b2", "#c75200", "#008563", "#a8487f", "#8a6100", "#3b86ba", "#6b7280"),
    ),
}

SIZES = {
    "wide": Size(width=680, height=400, type_size=12.5, label_length=28),
    "page": Size(width=460, height=340, type_size=12.5, label_length=15, on_page=True),
}


def line_look(theme: Theme, index: int) -> tuple[str, Any, str]:
    """Gives (colour, dash, marker) of a line; no two of the first 28 look alike."""
    colours = len(theme.lines)
    return (
        theme.lines[index % colours],
        DASHES[index // colours % len(DASHES)],
        MARKERS[index % len(MARKERS)],
    )

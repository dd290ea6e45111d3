"""Figures: empty ones to draw on, and finished ones as the bytes of SVG and PNG files."""

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import markupsafe
import numpy as np

from robust_keras.reporting import inline_svg, theme

# matplotlib is imported by who draws: reading a report must not cost the second that it takes.


def blank(width: float, height: float, title: str = "") -> Any:
    """Gives an empty matplotlib figure of 72 dots an inch, so that a point is a CSS pixel.

    Args:
        width: in CSS pixels.
        height: the same.
        title: text at the top, or "".
    """
    import matplotlib.figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    size = (width / 72, height / 72)
    figure = matplotlib.figure.Figure(figsize=size, dpi=72, facecolor=theme.PAPER)
    FigureCanvasAgg(figure)
    if title:
        write(figure, 8, 1.5 * theme.LETTERS, title, fontsize=1.1 * theme.LETTERS)
    return figure


def write(figure: Any, x: float, y: float, text: str, **style: Any) -> None:
    """Writes at a place in CSS pixels from the upper left corner.

    Names come from strangers: a dollar sign must not start mathematics.
    """
    width, height = 72 * figure.get_size_inches()
    usual = {"color": theme.INK, "parse_math": False}
    figure.text(x / width, 1 - y / height, text, **(usual | style))


def diagram(figure: Any, box: Sequence[float], lines: str = "y") -> Any:
    """Gives empty axes with a line at the bottom, and lines across from the numbers of a side.

    Args:
        figure: of matplotlib.
        box: left, lower side, width and height in CSS pixels from the lower left corner.
        lines: "x" or "y", whose numbers have lines.
    """
    sides = np.tile(72 * figure.get_size_inches(), 2)
    axes = figure.add_axes(box / sides, facecolor=theme.PAPER)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(theme.MUTED)
    axes.grid(axis=lines, color=theme.RULE, linewidth=1)
    axes.set_axisbelow(True)
    return axes


def svg(figure: Any, letters: str = "path") -> bytes:
    """Gives a figure as the bytes of an SVG file; the same figure always gives the same bytes.

    Letters are paths, or with "none" text in the reader's own font.
    """
    import matplotlib

    stream = io.BytesIO()
    # Letters as paths look the same where the reader lacks the font.
    with matplotlib.rc_context({"svg.fonttype": letters, "svg.hashsalt": "robust_keras"}):
        figure.savefig(
            stream, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None}
        )
    return stream.getvalue()


def on_page(draw: Callable[..., Any], *shown: Any) -> markupsafe.Markup:
    """Gives a figure as one SVG in the page, which suits light, dark, wide and narrow.

    Args:
        draw: called with what is shown and `size=theme.PAGE`.
        *shown: what is drawn.
    """
    return inline_svg.inline(svg(draw(*shown, size=theme.PAGE), letters="none"))


def hover(axes: Any, x: float, y: float, text: str, size: theme.Size) -> None:
    """Lets a point of a figure on the page say something where the pointer rests on it.

    Args:
        axes: of matplotlib.
        x: place in the axes' units.
        y: the same.
        text: what it says.
        size: of the figure; only on the page there is a pointer.
    """
    if size.on_page:
        gid = inline_svg.HOVER + text
        axes.plot([x], [y], "o", markersize=16, color="black", alpha=0.0, zorder=9, gid=gid)


def address(kind: str, content: bytes) -> str:
    """Gives an address that holds the bytes of an image of a kind, `png` or `svg+xml`."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii")


def for_print(figure: Any, caption: str) -> Iterator[tuple[str, bytes]]:
    """Gives a figure as the bytes of an SVG and of a PDF file that hold its caption.

    Yields:
        `(kind, bytes)`, the same bytes for the same figure and caption.
    """
    import matplotlib

    known = {
        "svg": {"Description": caption, "Date": None},
        "pdf": {"Subject": caption, "CreationDate": None, "ModDate": None},
    }
    # Type 42 keeps letters as letters, which publishers ask for.
    settings: Any = {"svg.fonttype": "path", "svg.hashsalt": "robust_keras", "pdf.fonttype": 42}
    for kind, metadata in known.items():
        stream = io.BytesIO()
        with matplotlib.rc_context(settings):
            paper = figure.get_facecolor()
            figure.savefig(stream, format=kind, facecolor=paper, metadata=metadata)
        yield kind, stream.getvalue()


def png(figure: Any) -> bytes:
    """Gives a figure as the bytes of a PNG file with two dots a CSS pixel."""
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=144, facecolor=figure.get_facecolor(), metadata={"Software": None}
    )
    return stream.getvalue()

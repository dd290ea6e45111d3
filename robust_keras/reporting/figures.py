"""Figures: empty ones to draw on, and finished ones as the bytes of SVG and PNG files."""

import base64
import io
from collections.abc import Callable
from typing import Any

from robust_keras.reporting import theme

# matplotlib is imported by who draws: reading a report must not cost the second that it takes.


def blank(width: float, height: float, look: theme.Theme) -> Any:
    """Gives an empty matplotlib figure of 72 dots an inch, so that a point is a CSS pixel.

    Args:
        width: in CSS pixels.
        height: the same.
        look: `Theme`.
    """
    import matplotlib.figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    size = (width / 72, height / 72)
    figure = matplotlib.figure.Figure(figsize=size, dpi=72, facecolor=look.paper)
    FigureCanvasAgg(figure)
    return figure


def svg(figure: Any) -> bytes:
    """Gives a figure as the bytes of an SVG file; the same figure always gives the same bytes."""
    import matplotlib

    stream = io.BytesIO()
    # Letters as paths look the same where the reader lacks the font.
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "robust_keras"}):
        figure.savefig(
            stream, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None}
        )
    return stream.getvalue()


def variants(draw: Callable[..., Any]) -> dict[str, str]:
    """Gives a figure on both papers in both sizes, of which style.css shows one, as addresses.

    Args:
        draw: called with `paper` and `size`.
    """
    return {
        f"{size}-{paper}": address("svg+xml", svg(draw(paper=paper, size=size)))
        for size in theme.SIZES
        for paper in theme.THEMES
    }


def address(kind: str, content: bytes) -> str:
    """Gives an address that holds the bytes of an image of a kind, `png` or `svg+xml`."""
    return f"data:image/{kind};base64," + base64.b64encode(content).decode("ascii")


def png(figure: Any) -> bytes:
    """Gives a figure as the bytes of a PNG file with two dots a CSS pixel."""
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=144, facecolor=figure.get_facecolor(), metadata={"Software": None}
    )
    return stream.getvalue()

"""Drawing of noisy and nonsense samples, with what a model makes of them."""

from collections.abc import Sequence
from typing import Any

from robust_keras.reporting import grid, theme, tiles, wording


def draw(
    samples: Any,
    *,
    class_names: Sequence[str] = (),
    size: theme.Size = theme.WIDE,
    title: str = "",
) -> Any:
    """Draws a row a strength of a `SampleReport` of which pictures were kept."""
    rows = [
        (f"strength {wording.epsilon(row.strength)}", [_tile(x, class_names) for x in row.examples])
        for row in samples.strengths
        if row.examples
    ]
    return tiles.draw(rows, size=size, columns=5, title=title)


def _tile(sample, class_names):
    name = "none"
    if sample.answer is not None:
        name = wording.shortened(grid.class_name(sample.answer, class_names), 12)
    accepted = "" if sample.accepted else "\nnot accepted"
    words = f"{name}\n{wording.confidence(sample.confidence)}{accepted}"
    return tiles.Tile(grid.rgb(sample.image / 255.0), words)

"""Drawing of what several models accept of noisy and nonsense samples, and how sure they are."""

from collections.abc import Sequence
from typing import Any

from robust_keras.reporting import figures, panels, theme, wording


def draw(
    samples: Sequence[tuple[str, Any]], *, size: theme.Size = theme.WIDE, title: str = ""
) -> Any:
    """Draws the share accepted and the mean confidence against strength, a line a model.

    Args:
        samples: pairs of a model's name and its `SampleReport` that has strengths.
        size: of the figure.
        title: text above the figure, or "".
    """
    titles = ["accepted", "mean confidence"]
    known = all(row.accuracy is not None for _, one in samples for row in one.strengths)
    titles += ["classified correctly"] if known else []
    settings: dict[str, Any] = {"columns": 3, "height": 220}
    figure, axes = panels.sheet(titles, size=size, title=title, **settings)
    for number, (name, one) in enumerate(samples):
        colour, dash, _ = theme.line_look(number)
        label = wording.shortened(name, size.label_length)
        for part, field in zip(axes, ("accepted", "mean_confidence", "accuracy"), strict=False):
            x = [row.strength for row in one.strengths]
            y = [getattr(row, field) for row in one.strengths]
            part.plot(x, y, color=colour, linestyle=dash, linewidth=1.6, label=label)
            for strength, share in zip(x, y, strict=True):
                said = f"{label}: {wording.percent(share)} at strength {wording.epsilon(strength)}"
                figures.hover(part, strength, share, said, size)
    for part in axes:
        part.set_ylim(-0.04, 1.04)
        panels.percents(part)
        panels.label(part, "strength")
    panels.legend(axes[0])
    return figure

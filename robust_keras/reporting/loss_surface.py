"""Drawing of the loss around an image, and of the regions of the answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import grid, panels, theme, wording


def draw(
    surfaces: Any,
    *,
    class_names: Sequence[str] = (),
    size: theme.Size = theme.WIDE,
    title: str = "",
) -> Any:
    """Draws a row an image of `SurfaceReport`s: the loss, and the answers."""
    names = [grid.class_name(one.label, class_names) for one in surfaces]
    titles = [text for name in names for text in (f"loss around a {name}", "answers")]
    figure, axes = panels.sheet(titles, size=size, title=title, height=230, narrow=2)
    for one, (left, right) in zip(surfaces, zip(axes[::2], axes[1::2], strict=True), strict=True):
        _loss(left, one)
        _answers(right, one, class_names)
        for part in (left, right):
            part.plot([0], [0], "o", markersize=6, color=theme.INK, markerfacecolor=theme.PAPER)
            part.set_xticks([-one.reach, 0, one.reach], _signed(one.reach))
            part.set_yticks([-one.reach, 0, one.reach], _signed(one.reach))
            panels.label(part, "along the gradient")
            part.grid(False)
    return figure


def _signed(reach):
    text = wording.epsilon(reach)
    return [f"−{text}", "0", text]


def _show(axes, surface, shades, colours):
    import matplotlib.colors

    cloud = np.zeros((*np.shape(shades), 4))
    cloud[..., :3] = [[matplotlib.colors.to_rgb(colour) for colour in row] for row in colours]
    cloud[..., 3] = shades
    ends = (-surface.reach, surface.reach) * 2
    axes.imshow(cloud, origin="lower", extent=ends, aspect="auto", interpolation="nearest")


def _loss(axes, surface):
    losses = np.array(surface.losses)
    span = max(float(np.ptp(losses)), 1e-9)
    colours = np.full(losses.shape, theme.LINES[0])
    _show(axes, surface, 0.04 + 0.9 * (losses - losses.min()) / span, colours)
    steps = np.linspace(-surface.reach, surface.reach, len(losses))
    if span > 1e-6:
        levels = losses.min() + span * np.linspace(0, 1, 6)[1:-1]
        lines = axes.contour(steps, steps, losses, levels, colors=theme.INK, linewidths=0.7)
        axes.clabel(lines, fontsize=theme.LETTERS - 2.5, fmt=lambda value: f"{value:.2g}")


def _answers(axes, surface, class_names):
    answers = np.array(surface.answers)
    known = [surface.label, *(c for c in np.unique(answers) if c != surface.label)]
    looks = {c: theme.LINES[n % len(theme.LINES)] for n, c in enumerate(known)}
    colours = [[looks[c] for c in row] for row in answers]
    _show(axes, surface, np.where(answers == surface.label, 0.25, 0.6), colours)
    steps = np.linspace(-surface.reach, surface.reach, len(answers))
    for answer in known:
        rows, columns = np.nonzero(answers == answer)
        if len(rows) < 0.02 * answers.size:
            continue
        # The place of the region that is nearest to its middle.
        middle = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
        name = wording.shortened(grid.class_name(int(answer), class_names), 10)
        style = {"color": theme.INK, "fontsize": theme.LETTERS, "parse_math": False}
        place = steps[columns[middle]], steps[rows[middle]] + 0.08 * surface.reach
        axes.text(*place, name, ha="center", va="bottom", fontweight="bold", **style)

"""Drawing of the loss around an image, and of the regions of the answers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from robust_keras.reporting import grid, panels, wording
from robust_keras.reporting import theme as themes


def draw(
    surfaces: Any,
    *,
    class_names: Sequence[str] = (),
    paper: str = "light",
    size: str = "wide",
    title: str = "",
) -> Any:
    """Draws a row an image: the loss, and the answers.

    Args:
        surfaces: `SurfaceReport`s, at least one.
        class_names: nothing, or one name a class.
        paper: name of a theme.
        size: name of a size.
        title: text above the figure, or "".
    """
    theme, room = themes.THEMES[paper], themes.SIZES[size]
    names = [grid.class_name(one.label, class_names) for one in surfaces]
    titles = [text for name in names for text in (f"loss around a {name}", "answers")]
    figure, axes = panels.sheet(titles, theme=theme, size=room, title=title, height=230, narrow=2)
    for one, (left, right) in zip(surfaces, zip(axes[::2], axes[1::2], strict=True), strict=True):
        _loss(left, one, theme, room)
        _answers(right, one, class_names, theme, room)
        for part in (left, right):
            part.plot([0], [0], "o", markersize=6, color=theme.ink, markerfacecolor=theme.paper)
            part.set_xticks([-one.reach, 0, one.reach], _signed(one.reach))
            part.set_yticks([-one.reach, 0, one.reach], _signed(one.reach))
            panels.label(part, "along the gradient", "", theme, room)
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


def _loss(axes, surface, theme, room):
    losses = np.array(surface.losses)
    span = max(float(np.ptp(losses)), 1e-9)
    colours = np.full(losses.shape, theme.lines[0])
    _show(axes, surface, 0.04 + 0.9 * (losses - losses.min()) / span, colours)
    steps = np.linspace(-surface.reach, surface.reach, len(losses))
    if span > 1e-6:
        levels = losses.min() + span * np.linspace(0, 1, 6)[1:-1]
        lines = axes.contour(steps, steps, losses, levels, colors=theme.ink, linewidths=0.7)
        axes.clabel(lines, fontsize=room.type_size - 2.5, fmt=lambda value: f"{value:.2g}")


def _answers(axes, surface, class_names, theme, room):
    answers = np.array(surface.answers)
    known = [surface.label, *(c for c in np.unique(answers) if c != surface.label)]
    looks = {c: theme.lines[n % len(theme.lines)] for n, c in enumerate(known)}
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
        style = {"color": theme.ink, "fontsize": room.type_size, "parse_math": False}
        place = steps[columns[middle]], steps[rows[middle]] + 0.08 * surface.reach
        axes.text(*place, name, ha="center", va="bottom", fontweight="bold", **style)

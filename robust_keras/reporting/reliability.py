"""Drawing of calibration: accuracy against confidence, and the error against temperature."""

from typing import Any

from robust_keras.reporting import figures, panels, theme, wording

TITLES = ("Right answers, by confidence", "Calibration error, by temperature")


def draw(calibration: Any, *, size: theme.Size = theme.WIDE, title: str = "") -> Any:
    """Draws a `CalibrationReport`."""
    titles = list(TITLES if calibration.temperatures else TITLES[:1])
    figure, axes = panels.sheet(titles, size=size, title=title, height=270)
    _reliability(axes[0], calibration, size)
    if calibration.temperatures:
        _by_temperature(axes[1], calibration)
    return figure


def _reliability(axes, calibration, size):
    axes.plot([0, 1], [0, 1], color=theme.MUTED, linewidth=1.2, linestyle=(0, (4, 3)), zorder=2)
    diagrams = (("no attack", calibration.bins), ("attacked", calibration.attacked_bins))
    for index, (name, bins) in enumerate(diagrams):
        held = [b for b in bins if b.images]
        if not held:
            continue
        colour, dash, marker = theme.line_look(index)
        x, y = [b.confidence for b in held], [b.accuracy for b in held]
        most = max(b.images for b in held)
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.4, zorder=3)
        sizes = [12 + 110 * b.images / most for b in held]
        axes.scatter(x, y, s=sizes, color=colour, marker=marker, zorder=4, label=name)
        for b in held:
            said = f"{name}, {b.images} images: {wording.percent(b.accuracy)} right"
            figures.hover(axes, b.confidence, b.accuracy, said, size)
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-0.06, 1.06)
    panels.percents(axes, "x")
    panels.percents(axes, "y")
    panels.label(axes, "confidence in the answer")
    panels.legend(axes, "upper left")


def _by_temperature(axes, calibration):
    rows = calibration.temperatures
    for index, (name, field) in enumerate((("no attack", "clean"), ("attacked", "attacked"))):
        known = [(row.temperature, getattr(row, field)) for row in rows]
        known = [(t, value) for t, value in known if value is not None]
        if known:
            colour, dash, marker = theme.line_look(index)
            style = {"linestyle": dash, "marker": marker, "linewidth": 1.6, "markersize": 5}
            axes.plot(*zip(*known, strict=True), color=colour, label=name, **style)
    axes.set_xscale("log")
    ends = (rows[0].temperature, rows[-1].temperature)
    axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes.set_xlim(ends[0] / 1.3, ends[1] * 1.3)
    axes.set_ylim(-0.04, 1.04)
    panels.percents(axes, "y")
    panels.label(axes, "temperature of the softmax")
    panels.legend(axes)

"""How far activations move under attack, several models side by side."""

from collections.abc import Iterator
from typing import Any

from robust_keras.findings import Report
from robust_keras.reporting import figures, panels, theme, wording
from robust_keras.reporting.section import Section, part
from robust_keras.reporting.table import Table

_MOST = 28


class Moved(Section):
    """One line a model, from the first activation to the last."""

    about = "report"
    template = part("moved.html")

    def show(self, report: Report, model: Any) -> dict[str, Any] | None:
        lines = _lines(report)
        return {"pictures": figures.on_page(_draw, lines)} if lines else None

    def tables(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Table]]:
        if lines := _lines(report):
            rows = (
                (
                    name,
                    wording.percent(found[0].distance),
                    wording.percent(found[-1].distance),
                    wording.percent(sum(a.distance for a in found) / len(found)),
                    wording.percent(sum(a.nonsense_distance for a in found) / len(found)),
                )
                for name, found in lines.items()
            )
            columns = ("Model", "First activation", "Last", "Mean", "Mean, nonsense")
            caption = "How far activations move under attack"
            yield "moved", Table(caption=caption, columns=columns, rows=tuple(rows))

    def figures(self, report: Report, model: Any, name: str) -> Iterator[tuple[str, Any]]:
        if lines := _lines(report):
            yield "moved", _draw(lines, title="Activations moved by the attack")

    def caption(self, report: Report, model: Any, name: str, end: str) -> str:
        return (
            "Largest gap between the distributions of each activation's outputs without and under "
            f"attack ({wording.attack_of(report)}), from a network's first activation to its last; "
            f"{wording.images_of(report)}."
        )


def _lines(report):
    """The `ActivationReport`s with a distance by the name of the model; none for one model."""
    pairs = zip(wording.display_names(report.models), report.models, strict=True)
    found = {
        name: [a for a in model.activations or () if a.distance is not None]
        for name, model in pairs
    }
    known = {name: each for name, each in found.items() if each}
    return dict(list(known.items())[:_MOST]) if len(known) > 1 else {}


def _draw(lines, *, size=theme.WIDE, title=""):
    names = ["Moved by the attack, by depth"]
    figure, (axes,) = panels.sheet(names, size=size, title=title, height=320)
    for index, (name, found) in enumerate(lines.items()):
        colour, dash, marker = theme.line_look(index)
        places = [n / max(len(found) - 1, 1) for n in range(len(found))]
        style = {"color": colour, "linestyle": dash, "marker": marker, "markersize": 5}
        label = wording.shortened(name, 24)
        axes.plot(places, [a.distance for a in found], linewidth=1.6, label=label, **style)
        for place, one in zip(places, found, strict=True):
            said = f"{label}, {wording.visible(one.layer)}: {wording.percent(one.distance)}"
            figures.hover(axes, place, one.distance, said, size)
    axes.set_ylim(bottom=0.0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
    axes.set_xticks([0.0, 1.0], ["first", "last"])
    axes.set_xlim(-0.05, 1.05)
    panels.label(axes, "activation")
    panels.legend(axes)
    return figure

"""The figures of a report: which lines and pictures each holds, as SVG and as PNG files."""

import base64
import io
import re

import matplotlib

from robust_keras.reporting import boxes, curves, fooling_grid, grid, theme, wording

FIGURES = "figures"


def model_curves(report, model):
    """Gives the lines of a model on which an attack ran: each attack, and the worst case bold."""
    clean = model.clean_accuracy
    lines = [
        curves.Curve(label=attack.name, accuracy=(clean, *attack.accuracy)) for attack in model.ran
    ]
    worst = (clean, *model.worst_case.accuracy)
    band = tuple(report.interval(value) for value in worst)
    return [
        *lines,
        curves.Curve(
            label="worst case",
            accuracy=worst,
            band=band,
            bold=True,
            doubtful=model.verdict == "unreliable",
        ),
    ]


def comparison_curves(report):
    """Gives one line a model on which an attack ran: its worst case."""
    return [
        curves.Curve(
            label=name,
            accuracy=(model.clean_accuracy, *model.worst_case.accuracy),
            doubtful=model.verdict == "unreliable",
        )
        for name, model in zip(wording.display_names(report.models), report.models, strict=True)
        if model.ran
    ]


def draw_curves(report, lines, *, paper="light", size="wide", title=""):
    """Draws lines of a report on `paper` (`light` or `dark`) in `size` (`wide` or `narrow`)."""
    return curves.draw(
        lines,
        report.threat_model.epsilons,
        norm=report.threat_model.norm,
        chance=1.0 / report.dataset.num_classes,
        theme=theme.THEMES[paper],
        size=theme.SIZES[size],
        title=title,
    )


def draw_boxes(report, model, *, paper="light", size="wide", title=""):
    """Draws the smallest epsilons of a model for which they were searched."""
    return boxes.draw(
        model.minimal_epsilon,
        norm=report.threat_model.norm,
        class_names=report.dataset.class_names,
        theme=theme.THEMES[paper],
        size=theme.SIZES[size],
        title=title,
    )


def svg(figure):
    """Gives a figure as the bytes of an SVG file; the same figure always gives the same bytes."""
    stream = io.BytesIO()
    # Letters as paths look the same where the reader lacks the font.
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "robust_keras"}):
        figure.savefig(
            stream, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None}
        )
    return stream.getvalue()


def variants(draw):
    """Gives a figure on both papers in both sizes, each as an address that holds it.

    Args:
        draw: called with `paper` and `size`.
    """
    return {
        f"{size}-{paper}": "data:image/svg+xml;base64,"
        + base64.b64encode(svg(draw(paper=paper, size=size))).decode("ascii")
        for size in theme.SIZES
        for paper in theme.THEMES
    }


def png(figure):
    """Gives a figure as the bytes of a PNG file with two dots a CSS pixel."""
    stream = io.BytesIO()
    figure.savefig(
        stream, format="png", dpi=144, facecolor=figure.get_facecolor(), metadata={"Software": None}
    )
    return stream.getvalue()


def files(report):
    """Gives every figure of a report as PNG.

    Args:
        report: `Report`.

    Yields:
        `(file name, bytes)`.
    """
    lines = comparison_curves(report)
    if len(lines) > 1:
        title = "Worst case over all attacks, per model"
        yield "comparison.png", png(draw_curves(report, lines, title=title))
    names = wording.display_names(report.models)
    for number, (name, model) in enumerate(zip(names, report.models, strict=True), 1):
        slug = f"{number:02}-{_slug(name)}"
        short = wording.shortened(name, 48)
        if model.ran:
            figure = draw_curves(report, model_curves(report, model), title=short)
            yield f"{slug}-curves.png", png(figure)
        if model.minimal_epsilon is not None:
            yield f"{slug}-minimal.png", png(draw_boxes(report, model, title=short))
        if shown := [example for example in model.examples if example.pictures]:
            figure = grid.draw(
                shown,
                theme=theme.THEMES["light"],
                title=f"Adversarial examples of {short}",
                class_names=report.dataset.class_names,
            )
            yield f"{slug}-examples.png", png(figure)
        if rows := fooling_rows(model):
            figure = fooling_grid.draw(
                rows,
                theme=theme.THEMES["light"],
                heading=f"Fooling images of {short}",
                class_names=report.dataset.class_names,
            )
            yield f"{slug}-fooling.png", png(figure)


def fooling_rows(model):
    """Gives the `FoolingReport`s of a model that have an image to show."""
    if model.unusual is None:
        return []
    return [part for part in model.unusual.fooling if fooling_grid.shown(part)]


def _slug(name):
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"

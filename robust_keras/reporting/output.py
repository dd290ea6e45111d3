"""Writing of a finished report: figures, then the page, and the data last."""

import os
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import robust_keras
from robust_keras.directories import place, whole_files
from robust_keras.errors import InputError
from robust_keras.findings import ModelReport, Report
from robust_keras.reporting import example_table, figures, sections, wording

REPORT_JSON = "report.json"
REPORT_HTML = "report.html"
RECHECK = "recheck.py"
FIGURES = "figures"


def write(
    report: Report,
    examples: Mapping[str, Any],
    directory: str | os.PathLike[str],
    tables: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Writes `figures/*.png`, `report.html` and `report.json` into a directory.

    With tables also `examples.csv`, the adversarial images where they were kept, and `recheck.py`,
    which replays them. A report that
    was read gives the same page and figures again: it holds the pictures of its examples.

    Each file appears whole or not at all, and `report.json` comes last: where it is, the run is
    finished.

    Args:
        report: `Report`.
        examples: mapping from a model's path to its adversarial examples, if the report does not
            hold them yet, which have `image` and
            `adversarial` of shape (h, w, channels) in [0, 1] and the fields of `ExampleReport`.
        directory: where to write; made if it is missing.
        tables: None, or mapping from a model's path to what was found out about every image, see
            `example_table.table`.

    Returns:
        The path of `report.json`.

    Raises:
        InputError: if the directory holds a finished report.
    """
    # Reading a report or building one must not cost the second that matplotlib takes.
    from robust_keras.reporting import gallery, html

    directory = pathlib.Path(directory)
    finished = directory / REPORT_JSON
    if finished.exists():
        raise InputError.expected(
            str(directory), f"a directory without {REPORT_JSON}", "one with a finished report"
        )
    report = gallery.with_examples(report, examples)
    pictures = directory / FIGURES
    place.make_directory(pictures)
    for name, content in figure_files(report):
        whole_files.write(pictures / name, content)
    _write_tables(tables or {}, directory)
    page = html.render(report)
    # Half characters, which a path may hold, have no place in UTF-8.
    whole_files.write(directory / REPORT_HTML, page.encode("utf-8", errors="backslashreplace"))
    whole_files.write(finished, report.to_json().encode("ascii"))
    return finished


def figure_files(report: Report) -> Iterator[tuple[str, bytes]]:
    """Gives every figure of every section of a report as PNG.

    Yields:
        `(file name, bytes)`.
    """
    for prefix, section, model, name in placed_sections(report):
        for end, figure in section.figures(report, model, name):
            yield f"{prefix}{end}.png", figures.png(figure)


def placed_sections(
    report: Report,
) -> Iterator[tuple[str, sections.Section, ModelReport | None, str]]:
    """Gives every section, once for each thing that it is about.

    Yields:
        `(prefix, section, model, name)`: how its files' names begin, and what its methods take.
    """
    above, below = sections.around_models()
    for section in above + below:
        yield "", section, None, ""
    names = wording.display_names(report.models)
    for number, (name, model) in enumerate(zip(names, report.models, strict=True), 1):
        for section in sections.of_model():
            prefix = f"{number:02}-{slug(name)}-"
            yield prefix, section, model, wording.shortened(name, wording.LONG)


def slug(name: str) -> str:
    """Gives a name as a file's: letters, digits and dashes, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"


def _write_tables(tables, directory):
    if tables:
        text = example_table.table(tables)
        content = text.encode("utf-8", errors="backslashreplace")
        whole_files.write(directory / example_table.EXAMPLES_CSV, content)
    for name, arrays in example_table.adversarial_files(tables):
        whole_files.write(directory / name, example_table.npz(arrays))
        script = pathlib.Path(robust_keras.__file__).with_name(RECHECK)
        whole_files.write(directory / RECHECK, script.read_bytes())

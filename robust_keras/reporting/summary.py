"""The report as a short table of plain text, for the terminal."""

import textwrap

from robust_keras.findings import Report
from robust_keras.reporting import sections, wording
from robust_keras.reporting.section import named_lines
from robust_keras.reporting.sections.attacker import class_list
from robust_keras.reporting.sections.headline import TO_QUOTE


def summary_table(report: Report, width: int | None = None) -> str:
    """Gives a line of text per model: clean accuracy, worst case per epsilon, verdict; then notes.

    Args:
        report: `Report`.
        width: columns of the terminal, at whose end sentences are broken between words; None
            keeps each note on one line.

    Returns:
        ASCII text without a last newline, apart from what model names hold.
    """
    epsilons = [wording.epsilon(epsilon) for epsilon in report.threat_model.epsilons]
    rows = [["model", "clean", *epsilons, "verdict"]]
    for name, model in zip(wording.terminal_names(report), report.models, strict=True):
        accuracies = [wording.plain(wording.percent(value)) for value in model.worst_case.accuracy]
        if not model.measured:
            accuracies = ["unknown"] * len(epsilons)
        clean = wording.plain(wording.percent(model.clean_accuracy))
        rows.append([name, clean, *accuracies, model.verdict])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    title = (
        f"{report.dataset.name} {report.dataset.split}, "
        f"{wording.plural(report.dataset.examples, 'image')}: accuracy clean and, at most, "
        f"under {report.threat_model.norm} attack{_aim(report)}"
    )
    table = [title, *_read_as(report.dataset), "", lines[0], "-" * len(lines[0]), *lines[1:]]
    # What is unusual about how a model was asked and read comes first.
    blocks = [named_lines(report, lambda model: model.notes)]
    blocks += [section.lines(report) for section in sections.SECTIONS]
    notes = (line for block in blocks if block for line in ("", *_broken(block, width)))
    return "\n".join([*table, *notes])


def _aim(report):
    target = report.threat_model.target_class
    return "" if target is None else f" towards class {target} alone"


def _read_as(dataset):
    """A line on the classes where they have names, and one on each thing read in its own way."""
    classes = class_list(dataset)
    lines = [f"classes  {wording.plain(classes)}"] if ":" in classes else []
    lines += [f"data     {wording.visible(note)}" for note in dataset.notes]
    return [piece for line in lines for piece in textwrap.wrap(line, 80, subsequent_indent=" " * 9)]


def _broken(lines, width):
    """Lines no longer than the terminal is wide; a command stays whole, to be copied."""
    for line in lines:
        if width is None or line.startswith(TO_QUOTE):
            yield line
        else:
            yield from textwrap.wrap(
                line,
                max(width, 20),
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )


def _cells(row, widths):
    yield row[0].ljust(widths[0])
    for cell, width in zip(row[1:-1], widths[1:-1], strict=True):
        yield cell.rjust(width)
    yield row[-1]

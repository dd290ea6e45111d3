"""The report as a short table of plain text, for the terminal."""

import textwrap

from robust_keras.reporting import facts, wording
from robust_keras.reporting.rejection_words import rejection_note
from robust_keras.reporting.unusual_words import unusual_notes
from robust_keras.reporting.verdict import verdict

NAME_LENGTH = 32


def summary_table(report):
    """Gives a line of text per model: clean accuracy, worst case per epsilon, verdict; then notes.

    Args:
        report: `Report`.

    Returns:
        ASCII text without a last newline, apart from what model names hold.
    """
    epsilons = [wording.epsilon(epsilon) for epsilon in report.threat_model.epsilons]
    rows = [["model", "clean", *epsilons, "verdict"]]
    for name, model in zip(wording.display_names(report.models), report.models, strict=True):
        accuracies = [_ascii(wording.percent(value)) for value in model.worst_case.accuracy]
        if not model.measured:
            accuracies = ["unknown"] * len(epsilons)
        clean = _ascii(wording.percent(model.clean_accuracy))
        shown = wording.shortened(name, NAME_LENGTH).replace("…", "...")
        rows.append([shown, clean, *accuracies, model.verdict])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    title = (
        f"{report.dataset.name} {report.dataset.split}, "
        f"{wording.plural(report.dataset.examples, 'image')}: accuracy without attack, and at most "
        f"this under {report.threat_model.norm} attack per epsilon"
    )
    table = [title, *_read_as(report.dataset), "", lines[0], "-" * len(lines[0]), *lines[1:]]
    return "\n".join(
        [*table, *_notes(report), *_verdicts(report), *_rejections(report), *_unusual(report)]
    )


def _verdicts(report):
    """A line on every model whose number may not be quoted, then what to do, after an empty one."""
    lines, command = [], ""
    for name, model in zip(wording.display_names(report.models), report.models, strict=True):
        found = verdict(report, model)
        if found.short:
            shown = wording.shortened(name, NAME_LENGTH).replace("…", "...")
            lines.append(f"{shown}: {found.level}: {found.short}")
        command = command or found.command
    if command:
        lines.append(f"to quote it: {command}")
    return ["", *lines] if lines else []


def _notes(report):
    """What is unusual about how a model was asked and read, after an empty line."""
    lines = [
        f"{wording.shortened(name, NAME_LENGTH)}: {_ascii(note)}"
        for name, model in zip(wording.display_names(report.models), report.models, strict=True)
        for note in model.notes
    ]
    return ["", *lines] if lines else []


def _read_as(dataset):
    """A line on the classes where they have names, and one on each thing read in its own way."""
    classes = facts.class_list(dataset)
    lines = [f"classes  {_ascii(classes)}"] if ":" in classes else []
    lines += [f"data     {wording.visible(note)}" for note in dataset.notes]
    return [piece for line in lines for piece in textwrap.wrap(line, 80, subsequent_indent=" " * 9)]


def _rejections(report):
    """A line on every model that may reject images, after an empty one."""
    lines = [
        f"{wording.shortened(name, NAME_LENGTH)}: "
        + _ascii(rejection_note(model.rejection, model.worst_case.epsilons[-1]))
        for name, model in zip(wording.display_names(report.models), report.models, strict=True)
        if model.rejection is not None and model.ran
    ]
    return ["", *lines] if lines else []


def _unusual(report):
    """A line on every kind of unusual input that was tried, after an empty one."""
    lines = [
        f"{wording.shortened(name, NAME_LENGTH)}: {_ascii(note)}"
        for name, model in zip(wording.display_names(report.models), report.models, strict=True)
        if model.unusual is not None
        for note in unusual_notes(model.unusual)
    ]
    return ["", *lines] if lines else []


def _cells(row, widths):
    yield row[0].ljust(widths[0])
    for cell, width in zip(row[1:-1], widths[1:-1], strict=True):
        yield cell.rjust(width)
    yield row[-1]


def _ascii(text):
    return text.replace(wording.NO_BREAK_SPACE, " ")

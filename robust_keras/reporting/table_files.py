"""A table of numbers as the text of a file: LaTeX, Markdown, CSV."""

import csv
import io

from robust_keras.reporting import wording
from robust_keras.reporting.table import Table

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    wording.NO_BREAK_SPACE: "~",
    "×": r"$\times$",
    "…": r"\ldots{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def csv_text(table: Table) -> str:
    """Gives the table with a comma between cells; a percentage keeps its sign."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.titles)
    writer.writerows([[wording.plain(cell) for cell in row] for row in table.rows])
    return stream.getvalue()


def markdown(table: Table) -> str:
    """Gives the table as GitHub and model hubs show it, its caption below."""
    marks = ["---" if place in table.words else "---:" for place in range(len(table.columns))]
    rows = [table.titles, marks, *table.rows]
    lines = ["| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", f"{escaped(table.caption)}.", ""])


def latex(table: Table) -> str:
    """Gives the table as a float of LaTeX that needs no package."""
    places = "".join("l" if place in table.words else "r" for place in range(len(table.columns)))
    rows = [" & ".join(map(_latex, row)) + r" \\" for row in table.rows]
    lines = [
        r"\begin{table}",
        rf"\caption{{{_latex(table.caption)}.}}",
        rf"\begin{{tabular}}{{{places}}}",
        r"\hline",
        " & ".join(map(_latex, table.titles)) + r" \\",
        r"\hline",
        *rows,
        r"\hline",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Gives text that no Markdown takes for markup, on one line."""
    shown = " ".join(wording.plain(text).split())
    return "".join(f"\\{sign}" if sign in "\\|*_<>[]`#" else sign for sign in shown)


def _latex(text):
    return "".join(_LATEX.get(sign, sign) for sign in text)

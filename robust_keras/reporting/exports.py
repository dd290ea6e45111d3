"""A finished report for papers, hubs and code scanning: figures, tables, a card, SARIF."""

import pathlib

from robust_keras.directories import place, whole_files
from robust_keras.findings import Report
from robust_keras.reporting import card, figures, output, sarif, table_files
from robust_keras.reporting.output import slug

CARD, SARIF, CAPTIONS = "README.md", "audit.sarif", "captions.md"
_TABLES = {"tex": table_files.latex, "md": table_files.markdown, "csv": table_files.csv_text}


def write(report: Report, directory: str | pathlib.Path) -> list[pathlib.Path]:
    """Writes all of it into a directory, which is made if it is missing.

    Returns:
        Paths: `figures/*.svg` and `*.pdf` with `figures/captions.md`, `tables/*.tex`, `*.md` and
        `*.csv`, `README.md` (a card for a model hub) and `audit.sarif`.
    """
    root = pathlib.Path(directory)
    files = {CARD: card.card(report).encode("utf-8", "backslashreplace")}
    files[SARIF] = sarif.sarif(report).encode("ascii")
    files |= {f"tables/{name}": content for name, content in _tables(report)}
    files |= {f"figures/{name}": content for name, content in _figures(report)}
    for folder in (root, root / "tables", root / "figures"):
        place.make_directory(folder)
    for name, content in files.items():
        whole_files.write(root / name, content)
    return [root / name for name in files]


def _tables(report):
    for prefix, section, model, name in output.placed_sections(report):
        for end, table in section.tables(report, model, name):
            for kind, made in _TABLES.items():
                content = made(table).encode("utf-8", "backslashreplace")
                yield f"{prefix}{slug(end)}.{kind}", content


def _figures(report):
    captions = []
    for prefix, section, model, name in output.placed_sections(report):
        for end, figure in section.figures(report, model, name):
            caption = section.caption(report, model, name, end)
            captions.append(f"- `{prefix}{end}`: {table_files.escaped(caption)}\n")
            for kind, content in figures.for_print(figure, caption):
                yield f"{prefix}{end}.{kind}", content
    yield CAPTIONS, "".join(captions).encode("utf-8", "backslashreplace")

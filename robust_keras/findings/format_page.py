"""The tables of docs/report_format.md and docs/report.schema.json, made of the fields.

`python -m robust_keras.findings.format_page` writes both anew.
"""

import json
import pathlib
import re

from robust_keras.findings import extensions
from robust_keras.findings.finding import Finding, summary
from robust_keras.findings.report import SCHEMA_MEANING, Report
from robust_keras.findings.schema import every, rows, schema

DOCUMENTS = pathlib.Path(__file__).parents[2] / "docs"
_TABLE = re.compile(r"(<!-- fields of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_OTHERS = re.compile(r"(<!-- registered -->\n).*?(<!-- end -->)", re.DOTALL)


def read() -> str:
    """Gives the text of docs/report_format.md."""
    return (DOCUMENTS / "report_format.md").read_text(encoding="utf-8")


def made_anew(text: str) -> str:
    """Gives a text whose tables between `<!-- fields of NAME -->` and `<!-- end -->` are true.

    Args:
        text: of the page. Where it says `<!-- registered -->` stands what was registered.
    """
    parts = {part.__name__: part for part in every(Report)}
    text = _TABLE.sub(lambda found: f"{found[1]}{table(parts[found[2]])}\n{found[3]}", text)
    return _OTHERS.sub(lambda found: f"{found[1]}{_registered()}{found[2]}", text)


def table(finding: type[Finding]) -> str:
    """Gives the fields of a finding as a table in Markdown."""
    lines = ["| field | type | meaning |", "| --- | --- | --- |"]
    if finding is Report:
        lines.append(f"| `schema` | integer | {SCHEMA_MEANING} |")
    for name, kind, meaning, derived in rows(finding):
        lines.append(f"| `{name}` | {kind.words} | {'*derived*: ' * derived}{meaning} |")
    return "\n".join(lines)


def schema_text() -> str:
    """Gives the text of docs/report.schema.json."""
    return json.dumps(schema(), indent=1) + "\n"


def _registered():
    return "".join(
        f"### {prefix}{name}\n\n{summary(part)}\n\n{table(part)}\n\n"
        for place, prefix in (("model", "models[]."), ("report", ""))
        for name, part in extensions.registered(place).items()
    )


if __name__ == "__main__":
    (DOCUMENTS / "report_format.md").write_text(made_anew(read()), encoding="utf-8")
    (DOCUMENTS / "report.schema.json").write_text(schema_text(), encoding="utf-8")

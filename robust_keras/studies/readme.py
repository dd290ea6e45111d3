"""README's table of the studies, made of docs/studies/*.json and put between its markers.

python -m robust_keras.studies.readme
"""

import json
import pathlib

from robust_keras.directories import whole_files
from robust_keras.errors import InputError
from robust_keras.studies import all_studies, page

_ROOT = pathlib.Path(__file__).parent.parent.parent
BEGIN, END = "<!-- the studies' table: -->", "<!-- end of the studies' table -->"


def table(root: pathlib.Path = _ROOT) -> str:
    """The table: a row for each headline claim of each study.

    Args:
        root: of the checkout.
    """
    lines = [
        "| claim | the source's number | ours, first | ours, what decides | verdict |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, study in all_studies.STUDIES.items():
        found = json.loads((root / f"docs/studies/{name}.json").read_text(encoding="utf-8"))
        claims = {claim["name"]: claim for claim in found["claims"]}
        lines += [_row(name, claims[headline]) for headline in study.headlines]
    return "\n".join(lines)


def _row(name, claim):
    first, last = claim["measures"][0], claim["measures"][-1]
    alone = len(claim["measures"]) == 1
    cells = [
        f"[{claim['says']}](docs/studies/{name}.md)",
        claim["number"],
        "" if alone else page.bounded(first),
        page.bounded(last),
        f"**{claim['verdict']}**",
    ]
    return f"| {' | '.join(cells)} |"


def placed(text: str, made: str) -> str:
    """README's text with the table between its markers.

    Raises:
        InputError: it has no markers.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError.expected("README.md", f"the markers {BEGIN} and {END}", "none")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main(root: pathlib.Path = _ROOT) -> None:
    """Writes the table into README.md."""
    path = root / "README.md"
    whole_files.write(path, placed(path.read_text(encoding="utf-8"), table(root)))


if __name__ == "__main__":
    main()

"""The blocks of commands and code in README and docs/."""

import pathlib
import re
from typing import NamedTuple

ROOT = pathlib.Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(^| +)# (?!exit code).*$", re.MULTILINE)
MARK = re.compile(r"^# not run by the tests: (.*)$", re.MULTILINE)


class Block(NamedTuple):
    """One fenced block: its language (`sh`, `python`, ...), text and line in the page."""

    language: str
    text: str
    line: int

    @property
    def why_not(self):
        """The reason that the block gives for not being run, or None."""
        mark = MARK.search(self.text)
        return mark[1] if mark else None

    @property
    def commands(self):
        """Its lines, continued ones joined, without comments but those that tell an exit code."""
        lines = COMMENT.sub("", self.text.replace("\\\n", " ")).splitlines()
        return [" ".join(line.split()) for line in lines if line.strip()]


def blocks(path):
    """Every block of a page, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2], text[: found.start()].count("\n") + 2)
        for found in FENCED.finditer(text)
    ]


def outside(path):
    """The page's text without its blocks."""
    return FENCED.sub("", path.read_text(encoding="utf-8"))

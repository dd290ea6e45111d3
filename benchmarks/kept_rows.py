"""Rows of a long benchmark, each kept in a file as soon as it is known."""

import json
import pathlib
import resource


class KeptRows:
    """A file of JSON lines that a benchmark which was stopped goes on from.

    Args:
        path: of the file; None keeps nothing.
        key: names of the entries that tell one row from another.
    """

    def __init__(self, path: str | pathlib.Path | None, key: tuple[str, ...]):
        self._path = None if path is None else pathlib.Path(path)
        self._key = key
        known = self._path is not None and self._path.exists()
        lines = self._path.read_text("utf-8").splitlines() if known else []
        self.rows = [json.loads(line) for line in lines]

    def known(self, **wanted) -> dict | None:
        """The row with these entries, or None."""
        return next((row for row in self.rows if self._named(row) == self._named(wanted)), None)

    def add(self, row: dict) -> dict:
        """Keeps a row, at once."""
        self.rows.append(row)
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
        return row

    def _named(self, row):
        return [row[name] for name in self._key]


def processor_seconds() -> float:
    """User and system time of this process so far, in seconds: other work does not count."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

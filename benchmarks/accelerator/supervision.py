"""Rows in a process of their own: one that dies or hangs costs the row that it was at.

What is found is kept in a file: the rows' groups and names in its first line, then an outcome each.
"""

import dataclasses
import json
import subprocess
import time

from accelerator.rows import FAILED, NO_TIME, Outcome, outcome

# For a row that has begun just before the deadline, in seconds.
GRACE = 45.0


def work(rows, deadline, file):
    """In the process: runs the rows of which the file has no outcome yet."""
    if not file.exists():
        _append(file, [(row.group, row.name) for row in rows])
    for row in rows[len(_read(file)[1]) :]:
        _append(file, dataclasses.asdict(outcome(row, deadline)))


def supervise(command, deadline, file):
    """Runs the command, which calls `work`, until every row has an outcome.

    Args:
        command: function from the seconds left to a list of arguments.
        deadline: time of `time.monotonic` after which no row is begun.
        file: where outcomes are kept; not there yet.

    Returns:
        List of `Outcome`s.
    """
    while True:
        left = max(deadline - time.monotonic(), 0.0)
        ended = _end_of(command(left), left + GRACE)
        if not file.exists():
            return [Outcome("machine", "start", FAILED, reason=ended)]
        names, outcomes = _read(file)
        if len(outcomes) < len(names):
            outcomes.append(Outcome(*names[len(outcomes)], FAILED, reason=ended))
            _append(file, dataclasses.asdict(outcomes[-1]))
        missing = names[len(outcomes) :]
        if not missing or time.monotonic() >= deadline:
            return outcomes + [Outcome(*name, NO_TIME) for name in missing]


def _end_of(command, seconds):
    """Why the process ended, in words."""
    try:
        code = subprocess.run(command, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return "it did not end in time"
    return f"its process ended with status {code}"


def _append(file, value):
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(value) + "\n")


def _read(file):
    names, *outcomes = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return names, [Outcome(**found) for found in outcomes]

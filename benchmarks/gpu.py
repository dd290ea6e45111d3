"""Whether everything works on the accelerator that is here, and how fast: one table, one JSON.

    python benchmarks/gpu.py [--seconds=480] [--json=FILE] [--smoke] [--torch_python=python]

Runs on a GPU where TensorFlow sees one, otherwise on the CPU. Every row stands alone: one that
fails, or ends its process, says why and stops no other, and what there is no time left for is not
begun. The exit code is 1 if a row failed.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# The table of all layers is that of the tests.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from accelerator.rows import FAILED, NO_TIME
from accelerator.supervision import supervise, work
from tabulate import tabulate

GROUPS = (
    "machine",
    "layers",
    "kernel activation",
    "from end to end",
    "attacks compared",
    "networks",
    "attacks",
)


def options(arguments):
    """The command line's settings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=480.0, help="no row begins after these")
    parser.add_argument("--json", type=pathlib.Path, help="where the table is kept as JSON")
    parser.add_argument("--smoke", action="store_true", help="a few of all, and small: for tests")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, metavar="GROUP")
    parser.add_argument("--torch_python", default=sys.executable, help="a Python with torch")
    parser.add_argument("--split", type=int, default=1, help="logical devices in the first one")
    parser.add_argument("--outcomes", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def all_rows(settings):
    """The rows of all groups that are asked for, in the order in which they run."""
    # In the rows' own process only: a GPU is taken by the first that looks at it.
    from accelerator import attack_rows, end_rows, layer_rows, machine_rows, network_rows

    machine_rows.prepare(settings.split)
    makers = {
        "machine": machine_rows.rows,
        "layers": layer_rows.rows,
        "kernel activation": layer_rows.speed_rows,
        "networks": network_rows.rows,
        "from end to end": end_rows.rows,
        "attacks compared": attack_rows.compared_rows,
        "attacks": attack_rows.rows,
    }
    return [row for name in GROUPS if name in settings.only for row in makers[name](settings, name)]


def found(arguments, deadline):
    """The outcomes of all rows, which run in a process of their own."""
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "outcomes.jsonl"

        def command(left):
            more = [f"--seconds={left}", f"--outcomes={file}"]
            return [sys.executable, __file__, *arguments, *more]

        return supervise(command, deadline, file)


def table(outcomes):
    """The outcomes as text."""
    rows = [(one.group, one.name, one.state, one.in_words()) for one in outcomes]
    return tabulate(rows, ("group", "what", "", "figures"), tablefmt="github")


def main(arguments):
    """Runs the rows, prints the table, keeps the JSON; returns the exit code."""
    settings, start = options(arguments), time.monotonic()
    deadline = start + settings.seconds
    if settings.outcomes is not None:
        work(all_rows(settings), deadline, settings.outcomes)
        return 0
    outcomes = found(arguments, deadline)
    seconds = time.monotonic() - start
    counts = {state: sum(one.state == state for one in outcomes) for state in (FAILED, NO_TIME)}
    ends = f"{counts[FAILED]} failed, {counts[NO_TIME]} without time; {seconds:.0f} s"
    print(f"{table(outcomes)}\n\n{len(outcomes)} rows, {ends}")
    if settings.json is not None:
        value = {"seconds": seconds, "rows": [dataclasses.asdict(one) for one in outcomes]}
        settings.json.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    return 1 if counts[FAILED] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

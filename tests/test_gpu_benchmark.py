"""`benchmarks/gpu.py`, shortened, on the CPU; and its table, whatever a row does."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
STATES = {"works", "not here"}
# Rows of every kind, as the benchmark's own process runs them.
WORKER = """
import os, pathlib, sys, time
sys.path.insert(0, "benchmarks")
from accelerator.rows import NotHere, Row, must
from accelerator.supervision import work

def absent():
    raise NotHere("no torch")

rows = {"works": lambda: {"ratio": [1.0, 2.0, 3.0]}, "raises": lambda: must(False, "wrong\\nmore"),
        "absent": absent, "dies": lambda: os._exit(7), "after": lambda: {"it": "runs"},
        "hangs": lambda: time.sleep(60), "late": dict}
work([Row("all", name, run) for name, run in rows.items()],
     time.monotonic() + float(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


def test_everything_works_on_two_logical_cpus(tmp_path):
    file = tmp_path / "table.json"
    done = subprocess.run(
        [sys.executable, "benchmarks/gpu.py", "--smoke", "--split=2", f"--json={file}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert {row["state"] for row in rows} <= STATES
    assert all(row["figures"] or row["reason"] for row in rows)
    assert all(f"| {row['name']} " in done.stdout for row in rows)
    found = {row["name"]: row["figures"] for row in rows}
    assert found["mirrored adversarial training"]["devices"] == 2
    assert "mixed_float16" in str(found)


def test_no_row_stops_the_table(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.chdir(ROOT)
    from accelerator import supervision

    monkeypatch.setattr(supervision, "GRACE", 0.5)
    file = tmp_path / "outcomes.jsonl"
    deadline = supervision.time.monotonic() + 3
    outcomes = supervision.supervise(
        lambda left: [sys.executable, "-c", WORKER, str(left), str(file)], deadline, file
    )
    assert [(one.name, one.state, one.in_words()) for one in outcomes] == [
        ("works", "works", "ratio 2 (1 to 3)"),
        ("raises", "FAILED", "Unfit: wrong"),
        ("absent", "not here", "no torch"),
        ("dies", "FAILED", "its process ended with status 7"),
        ("after", "works", "it runs"),
        ("hangs", "FAILED", "it did not end in time"),
        ("late", "no time left", ""),
    ]

"""Numbers stay as they were: runs of both programs against those of `recorded_runs.json`."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import recorded_runs  # noqa: E402
from recorded_cases import CASES  # noqa: E402


def test_every_number_of_the_recorded_runs_is_the_same():
    if recorded_runs.machine() != recorded_runs.read()["machine"]:
        pytest.skip("recorded with another processor, TensorFlow, Keras or NumPy")
    done = subprocess.run(
        [sys.executable, "benchmarks/recorded_runs.py", "compare"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


def test_every_case_is_recorded_with_numbers_of_its_own():
    runs = recorded_runs.read()["runs"]
    assert list(runs) == [case.name for case in CASES]
    assert len({json.dumps(numbers) for numbers in runs.values()}) == len(CASES)


def test_one_other_number_is_a_difference():
    before = {"linf": {"clean": 0.5, "accuracy": [0.25, 0.0]}, "l2": {"clean": 1.0}}
    found = {"linf": {"clean": 0.5, "accuracy": [0.25, 1e-17]}}
    (line,) = recorded_runs.differences(before, found)
    assert line == "linf: accuracy: recorded [0.25, 0.0]; found [0.25, 1e-17]"
    assert not recorded_runs.differences(before, before)

"""How the programs end when their output or their user goes away: no traceback, the right code."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from robust_keras import standard_streams

ROOT = pathlib.Path(__file__).parent.parent
# A program without TensorFlow: prints a lot, says on a pipe where it is, waits and ends.
PROGRAM = """
import pathlib, sys, time
sys.path.insert(0, {root!r})
from robust_keras.settings.config import TrainConfig
from robust_keras.programs import command_line

def main(config):
    for number in range(3000):
        print("line", number, flush=True)
    pathlib.Path("ready").touch()
    {body}
    pathlib.Path("finished").touch()

sys.argv = ["train.py"]
command_line.run(main, TrainConfig, "A program.")
"""


def start(tmp_path, body="pass", **streams):
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(root=str(ROOT), body=body))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.Popen([sys.executable, str(script)], cwd=tmp_path, **streams)


def shell(command, cwd=ROOT):
    return subprocess.run(
        ["bash", "-c", command.replace("python", sys.executable)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_run_goes_on_where_its_reader_has_gone(tmp_path):
    program = start(tmp_path)
    assert program.stdout.readline() == b"line 0\n"
    program.stdout.close()
    assert program.stderr.read() == b""
    assert program.wait(60) == 0
    assert (tmp_path / "finished").exists()


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_files_of_somebody_else(tmp_path, closing):
    start(tmp_path, body="open('data', 'w').write('data')").communicate()
    (tmp_path / "finished").unlink()
    done = shell(f"exec python program.py {closing}", tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert (tmp_path / "data").read_text() == "data"
    assert (tmp_path / "finished").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_the_output_is_told_once(tmp_path):
    with open("/dev/full", "wb") as full:
        program = start(tmp_path, stdout=full)
        errors = program.communicate(timeout=60)[1].decode().splitlines()
    assert errors == [
        "warning: standard output can not be written to any more (No space left on device); "
        "going on"
    ]
    assert program.returncode == 0 and (tmp_path / "finished").exists()


@pytest.mark.parametrize("flag", ["--help", "--version"])
@pytest.mark.parametrize("where", ["| head -1", ">&-", ">&- 2>&-", "| true", ">/dev/full"])
def test_help_without_a_reader(flag, where):
    done = shell(f"python train.py {flag} {where}; echo ${{PIPESTATUS[0]}} >&2")
    lines = done.stderr.splitlines()
    assert "Traceback" not in done.stderr and "Error" not in done.stderr
    assert len(lines) <= 2 and (lines or ["0"])[-1] == "0"


@pytest.mark.parametrize(
    "number, code, word", [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_during_a_run(tmp_path, number, code, word):
    program = start(tmp_path, "time.sleep(60)", stdout=subprocess.DEVNULL)
    while not (tmp_path / "ready").exists():
        assert program.poll() is None
        time.sleep(0.01)
    program.send_signal(number)
    errors = program.communicate(timeout=60)[1].decode()
    assert errors == f"{word}; the same command goes on from here\n"
    assert program.returncode == code


@pytest.mark.parametrize("delay", [0.03, 0.06, 0.09, 0.2, 0.5, 1.0, 1.8])
def test_an_interruption_while_everything_is_imported(tmp_path, delay):
    code, errors = _interrupted(tmp_path, delay)
    # The interpreter itself answers before the first line of the program.
    while "Fatal Python error: init" in errors:
        delay *= 2
        code, errors = _interrupted(tmp_path, delay)
    assert "Traceback" not in errors and len(errors.splitlines()) <= 1
    # Before the first line that handles it, the signal itself ends the process: 130 to a shell.
    assert code in (130, -signal.SIGINT)


def _interrupted(tmp_path, delay):
    arguments = [sys.executable, str(ROOT / "train.py"), f"--output_dir={tmp_path}/run"]
    program = subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    time.sleep(delay)
    program.send_signal(signal.SIGINT)
    errors = program.communicate(timeout=60)[1].decode()
    return program.returncode, errors


def test_memory_that_runs_out_is_one_line(tmp_path):
    program = start(tmp_path, "raise MemoryError('Unable to allocate 8 EiB')")
    errors = program.communicate(timeout=60)[1].decode()
    assert errors.startswith("error: memory: expected ") and "--batch_size" in errors
    assert errors.count("\n") == 1 and "8 EiB" in errors
    assert program.returncode == 2


def test_an_operation_that_fails_is_one_line_and_a_file(tmp_path):
    body = "import tensorflow as tf; tf.debugging.check_numerics(0.0 / tf.zeros(1), 'this layer')"
    program = start(tmp_path, body)
    errors = program.communicate(timeout=60)[1].decode().splitlines()[-1]
    assert errors.startswith("error: an operation of TensorFlow failed (InvalidArgumentError: ")
    assert "this layer" in errors and program.returncode == 1
    details = pathlib.Path(re.search(r"told in (\S+);", errors)[1])
    assert "check_numerics" in details.read_text() and "Traceback" in details.read_text()
    details.unlink()


def test_streams_are_put_back(capsys):
    before = sys.stdout, sys.stderr
    with standard_streams.forgiving():
        print("seen")
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr) == before
    assert capsys.readouterr().out == "seen\n"

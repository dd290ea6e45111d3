"""Everything printed in README and docs/ is run as printed, page by page, in a fresh clone."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from document_blocks import DOCUMENTS, ROOT, blocks, outside
from program_server import ProgramServer

# Blocks that need what is not everywhere: (page, reason that the block itself gives).
NOT_RUN = {
    ("docs/certificates.md", "twenty epochs"),
    ("docs/inside.md", "takes many minutes"),
    ("docs/security.md", "asks pypi.org"),
    ("README.md", "installs into another environment"),
    ("docs/operating.md", "needs a second run"),
    ("docs/operating.md", "needs a server"),
    ("docs/training.md", "needs CIFAR-10 from TensorFlow Datasets, and a day"),
    ("docs/unusual_inputs.md", "needs CIFAR-10 from TensorFlow Datasets"),
    ("docs/unusual_inputs.md", "needs MNIST from TensorFlow Datasets, and minutes"),
}
# What the clone has before its pages are followed: `make quickstart` with a small network, short.
SHORT = "--model=fc5 --epochs=1 --train_examples=1000"
QUICKSTART = (
    f"train.py --flagfile=configs/quickstart.cfg {SHORT} --activation=relu",
    f"train.py --flagfile=configs/quickstart_robust.cfg {SHORT}",
    "evaluate.py --flagfile=configs/quickstart_evaluate.cfg --examples=20 --attacks=pgd",
)
DONE_ALREADY = {"make quickstart", "make test", "make check", "source .venv/bin/activate"}
EXIT_CODE = re.compile(r" # exit code (\d+)$")
PROGRAM = re.compile(r"python [\w./-]+\.py( [^|&;<>$*]*)?$")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The tracked files as they are, and a finished quickstart of one epoch."""
    path = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, path / name)
    return path


@pytest.fixture(scope="module")
def follow(clone):
    """Runs one command or one piece of Python in the clone; fails with what it wrote."""
    server = ProgramServer(clone)
    output = clone.parent / "output.txt"

    def run(command, code):
        if PROGRAM.match(command):
            return server.run(shlex.split(command)[1:], clone, output)
        with output.open("a") as file:
            path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=clone,
                env=os.environ | {"PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        return done.returncode

    def check(command):
        output.unlink(missing_ok=True)
        expected = EXIT_CODE.search(command)
        code = run(EXIT_CODE.sub("", command), clone)
        assert code == (int(expected[1]) if expected else 0), f"{command}\n{tail(output)}"

    for command in QUICKSTART:
        check(f"python {command}")
    yield check
    server.close()


def tail(output):
    return output.read_text(errors="replace")[-3000:]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_printed_runs(path, clone, follow):
    for block in blocks(path):
        if block.why_not:
            continue
        if block.language == "python":
            script = clone / f"{path.stem}_line_{block.line}.py"
            script.write_text(block.text)
            follow(f"python {script.name}")
        elif block.language == "sh":
            for command in block.commands:
                if command not in DONE_ALREADY:
                    follow(command)


def test_only_what_needs_more_than_the_clone_is_left_out():
    found = {
        (path.relative_to(ROOT).as_posix(), block.why_not)
        for path in DOCUMENTS
        for block in blocks(path)
        if block.why_not
    }
    assert found == NOT_RUN


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_says_what_it_is(path):
    assert {block.language for block in blocks(path)} <= {"sh", "python", "text", "json"}
    hidden = re.findall(r"^ {4,}(?:python|make|pip|docker|curl) .*$", outside(path), re.MULTILINE)
    assert not hidden


def test_make_quickstart_runs_what_its_short_form_runs():
    printed = subprocess.run(
        ["make", "--dry-run", "--always-make", "quickstart"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    programs = re.findall(r"^(?:\w+=1 )*\S*python ((?:train|evaluate)\.py \S+)", printed, re.M)
    assert programs == [" ".join(command.split()[:2]) for command in QUICKSTART]

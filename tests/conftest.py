"""What every process of the suite does before its first test, and between its files."""

import gc
import json
import pathlib
import types

import pytest
from program_server import ProgramServer

ROOT = pathlib.Path(__file__).parent.parent


def pytest_collection_finish(session):
    """Leaves what was imported to nobody to collect: looking through TensorFlow takes a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def run_script(tmp_path_factory):
    """Function from a script, its arguments and a directory to its `returncode` and `output`.

    Each in a fork of one process that has imported TensorFlow and not started it: devices can
    still be chosen.
    """
    server = None

    def run(script, *arguments, cwd=ROOT):
        nonlocal server
        server = server or ProgramServer(ROOT)
        output = tmp_path_factory.mktemp("script") / "output.txt"
        returncode = server.run([str(script), *map(str, arguments)], cwd, output)
        return types.SimpleNamespace(returncode=returncode, output=output.read_text())

    yield run
    if server:
        server.close()


@pytest.fixture(scope="session")
def run_code(run_script, tmp_path_factory):
    """The same of code: function from it and its arguments."""

    def run(code, *arguments):
        script = tmp_path_factory.mktemp("code") / "script.py"
        script.write_text(code)
        return run_script(script, *arguments)

    return run


@pytest.fixture(scope="session")
def run_killed(run_script):
    """Function from a directory and steps of killed_programs.py to what came of each."""

    def run(path, *steps):
        done = run_script(ROOT / "tests" / "killed_programs.py", json.dumps(steps), cwd=path)
        assert done.returncode == 0, done.output[-2000:]
        return json.loads(done.output.splitlines()[-1])

    return run


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_registered():
    """Takes away what a file has registered: the next one of the process knows nothing of it."""
    from robust_keras import attacks, reporting
    from robust_keras.reporting import sections

    known = set(attacks.ATTACKS), {section.name for section in sections.SECTIONS}
    yield
    for name in attacks.ATTACKS.keys() - known[0]:
        del attacks.ATTACKS[name]
    for name in {section.name for section in sections.SECTIONS} - known[1]:
        reporting.unregister(name)

"""What every process of the suite does before its first test, and between its files."""

import atexit
import gc
import json
import os
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


def pytest_configure(config):
    """Has a process of several end as forks do: what Python frees takes it seconds.

    The first to be registered is called last, after whatever TensorFlow has to end. Its exit code
    is nobody's: the first process has been told all by then.
    """
    if hasattr(config, "workerinput"):
        atexit.register(os._exit, 0)


def _in_forks(tmp_path_factory, *server_arguments):
    server = None

    def run(script, *arguments, cwd=ROOT):
        nonlocal server
        server = server or ProgramServer(*server_arguments)
        directory = tmp_path_factory.mktemp("script")
        files = directory / "stdout.txt", directory / "stderr.txt"
        code = server.run([str(script), *map(str, arguments)], cwd, *files)
        out, err = (path.read_text() for path in files)
        return types.SimpleNamespace(returncode=code, stdout=out, stderr=err, output=err + out)

    yield run
    if server:
        server.close()


def _of_code(run_script, tmp_path_factory):
    def run(code, *arguments, **settings):
        script = tmp_path_factory.mktemp("code") / "script.py"
        script.write_text(code)
        return run_script(script, *arguments, **settings)

    return run


@pytest.fixture(scope="session")
def run_script(tmp_path_factory):
    """Function from a script, its arguments and a directory to what came of it.

    That is its `returncode`, `stdout`, `stderr`, both as `output`. Each in a fork of one process
    that has imported TensorFlow and not started it: devices can still be chosen.
    """
    yield from _in_forks(tmp_path_factory, ROOT)


@pytest.fixture(scope="session")
def run_code(run_script, tmp_path_factory):
    """The same of code: function from it, its arguments and a directory."""
    return _of_code(run_script, tmp_path_factory)


@pytest.fixture(scope="session")
def run_plain_script(tmp_path_factory):
    """The same where TensorFlow alone is imported, and nothing of this project can be."""
    yield from _in_forks(tmp_path_factory, None, ("tensorflow", "keras"))


@pytest.fixture(scope="session")
def run_plain_code(run_plain_script, tmp_path_factory):
    """The same of code."""
    return _of_code(run_plain_script, tmp_path_factory)


@pytest.fixture(scope="session")
def run_killed(run_script):
    """Function from a directory and steps of killed_programs.py to what came of each."""

    def run(path, *steps):
        done = run_script(ROOT / "tests" / "killed_programs.py", json.dumps(steps), cwd=path)
        assert done.returncode == 0, done.output[-2000:]
        return json.loads(done.output.splitlines()[-1])

    return run


@pytest.fixture(scope="module")
def graphs_as_written():
    """Compiled functions of a file run as they were traced, for tests of what they compute.

    TensorFlow's rewriting of a graph before its first run takes a fifth of a test of small attacks.
    What the programs run is rewritten, and so is what is compared to the bit with a graph's copy.
    """
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


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


@pytest.fixture
def nobody():
    """As a user without rights; root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)

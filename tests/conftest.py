"""What every process of the suite does before its first test, and between its files."""

import gc
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
def run_code(tmp_path_factory):
    """Function from code and arguments to its `returncode` and `output`, in a process of its own.

    A fork of one that has imported TensorFlow and not started it: devices can still be chosen.
    """
    server = None

    def run(code, *arguments):
        nonlocal server
        server = server or ProgramServer(ROOT)
        directory = tmp_path_factory.mktemp("code")
        script, output = directory / "script.py", directory / "output.txt"
        script.write_text(code)
        returncode = server.run([str(script), *map(str, arguments)], ROOT, output)
        return types.SimpleNamespace(returncode=returncode, output=output.read_text())

    yield run
    if server:
        server.close()


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

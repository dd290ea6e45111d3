"""Data sets and models that may not be read: one line that says so, whoever finds it."""

import os
import pathlib
import tempfile

import pytest

from robust_keras import data, serving
from robust_keras.directories import record
from robust_keras.errors import InputError
from robust_keras.settings.config import TrainConfig


@pytest.fixture
def world():
    """A directory that anybody may enter, of files that are looked at no further."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory)
        path.chmod(0o755)
        (path / "mine" / "serving" / "1" / "variables").mkdir(parents=True)
        for name in ("set.npz", "model.keras", "serving/1/saved_model.pb"):
            (path / "mine" / name).touch()
        yield path


@pytest.mark.parametrize(
    ("shut", "asked"),
    [
        ("mine", "mine/set.npz"),
        ("mine/set.npz", "mine/set.npz"),
        ("mine", "mine/model.keras"),
        ("mine/model.keras", "mine/model.keras"),
        ("mine/serving", "mine/serving"),
        ("mine/serving/1", "mine/serving"),
        ("mine/serving/1/saved_model.pb", "mine/serving"),
        ("mine/serving/1/variables", "mine/serving/1"),
    ],
)
def test_what_may_not_be_read_is_one_line(world, shut, asked, request):
    mode = (world / shut).stat().st_mode
    (world / shut).chmod(0)
    request.getfixturevalue("nobody")
    path = str(world / asked)
    record.inputs(TrainConfig(dataset=path))
    load = data.load if asked.endswith(".npz") else serving.load
    told = r"expected what may be read \(change its rights.*; received .*denied\)$"
    with pytest.raises(InputError, match=told) as one:
        load(path)
    seen = asked if shut == "mine" else shut
    assert f"received {world / seen} (" in str(one.value)
    os.seteuid(os.getuid())
    (world / shut).chmod(mode)

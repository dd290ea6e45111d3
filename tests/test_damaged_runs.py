"""What a run left may be damaged afterwards: one line that says what to do, never a traceback."""

import errno
import shutil

import numpy as np
import pytest
from test_fit import config, images, network

from robust_keras import training
from robust_keras.errors import InputError
from robust_keras.runs import training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.checkpoint import LastCheckpoint


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """The directory of a run of one epoch."""
    path = tmp_path_factory.mktemp("begun") / "run"
    train(path)
    return path


def train(path):
    settings = config(path, epochs=1, layer_log="always")
    training.make_reproducible(0)
    training_run.fit(network(), images(), settings, TrainingDirectory(settings))


DAMAGE = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "binary": lambda content: b"\xff\x00" + content,
    "other": lambda content: b"epoch\nmany\n",
    "long": lambda content: b"epoch,x\n" + b"9" * 5000 + b",1\n",
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(
    "name", ["checkpoints/last.npz", "checkpoints/best.txt", "logs/training.csv", "logs/layers.csv"]
)
def test_a_damaged_file_is_named_with_what_to_do(begun, tmp_path, name, damage):
    path = tmp_path / "run"
    shutil.copytree(begun, path)
    content = (path / name).read_bytes()
    (path / name).write_bytes(DAMAGE[damage](content))
    try:
        train(path)
    except InputError as error:
        (line,) = str(error).splitlines()
        assert name in line
        assert "delete" in line
    else:
        # Nothing is lost where a number ends early or a log is gone.
        assert damage in ("empty", "half")
        assert name != "checkpoints/last.npz"
    if name != "checkpoints/last.npz":
        (path / name).unlink()
        train(path)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, capsys, monkeypatch):
    path = tmp_path / "last.npz"
    model = network()
    model.compile("adam", loss="mse")
    checkpoint = LastCheckpoint(path)
    checkpoint.set_model(model)
    checkpoint.on_epoch_end(0)
    weights = model.get_weights()
    model.set_weights([weight + 1.0 for weight in weights])
    checkpoint.on_epoch_end(1)
    assert checkpoint.restore(model) == 2
    path.write_bytes(path.read_bytes()[:-100])
    assert checkpoint.restore(model) == 1
    for restored, weight in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(restored, weight)
    (warning,) = capsys.readouterr().err.splitlines()
    assert "last.npz: expected a checkpoint" in warning and "previous.npz" in warning
    # The good one outlives an epoch whose checkpoint cannot be written.
    monkeypatch.setattr(np, "savez", no_more_space)
    for _ in range(2):
        with pytest.raises(InputError, match="free some space"):
            checkpoint.on_epoch_end(1)
    assert checkpoint.restore(model) == 1
    assert {entry.name for entry in tmp_path.iterdir()} == {"last.npz", "previous.npz"}
    for name in ("last.npz", "previous.npz"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"last\.npz.*delete it"):
        checkpoint.restore(model)


def no_more_space(*_, **arrays):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_no_flipped_bit_of_a_checkpoint_goes_unnoticed_or_ends_in_another_error(begun, tmp_path):
    path = tmp_path / "last.npz"
    content = (begun / "checkpoints" / "last.npz").read_bytes()
    model = network()
    model.compile("adam", loss="mse")
    checkpoint = LastCheckpoint(path)
    path.write_bytes(content)
    for place in range(0, len(content), len(content) // 150):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            checkpoint.restore(model)
        except InputError:
            continue
        # Some bytes of an archive mean nothing: dates, attributes.
        restored = model.get_weights()
        path.write_bytes(content)
        checkpoint.restore(model)
        for a, b in zip(restored, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

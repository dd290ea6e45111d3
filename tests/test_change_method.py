"""A new method of adversarial training is one file that says what it is, and one `register`."""

import importlib
import pathlib
import sys

import numpy as np
import pytest
import test_fit

from robust_keras.errors import InputError
from robust_keras.programs import command_line
from robust_keras.runs.compiling import relative_cost
from robust_keras.settings.adversarial_methods import METHODS
from robust_keras.settings.config import TrainConfig
from robust_keras.training.adversarial import AdversarialSettings

TOY = pathlib.Path(__file__).parent / "toy_method.py"
ASKED = ("--adversarial=toy", "--train_epsilon=0.2")


@pytest.fixture
def registered():
    yield importlib.import_module("toy_method")
    del METHODS["toy"], sys.modules["toy_method"]


def parsed(*arguments):
    return command_line.parse(TrainConfig, "", ["train.py", *arguments])


def test_it_takes_one_file_of_forty_lines():
    assert len(TOY.read_text().splitlines()) <= 40


def test_nobody_knows_it_unless_it_was_registered():
    assert "toy" not in METHODS
    with pytest.raises(InputError, match="--adversarial: expected one of none, pgd, .*; received"):
        parsed(*ASKED)


def test_it_trains_by_flag_and_like_nothing_else(registered, tmp_path):
    ends = []
    for place, name in enumerate(("toy", "toy", "pgd")):
        arguments = ("--epochs=1", "--batch_size=8", f"--output_dir={tmp_path / str(place)}")
        config = parsed(*ASKED, f"--adversarial={name}", "--adversarial_steps=2", *arguments)
        ends.append(np.concatenate([w.ravel() for w in test_fit.run(config).get_weights()]))
    assert np.array_equal(ends[0], ends[1]) and not np.array_equal(ends[0], ends[2])
    assert relative_cost(config := parsed(*ASKED, "--warm_up_epochs=1"))(0) == 1.0
    assert relative_cost(config)(1) == 5.0
    assert AdversarialSettings(method="toy", epsilon=0.2, steps=4).step == 0.05


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--replays=2",), r"--replays: expected nothing with --adversarial=toy \(it belongs to"),
        (("--source_models=a.keras",), "--source_models: expected nothing with --adversarial=toy"),
        (("--denoiser", "--classifier=a.keras", "--denoiser_epsilon=0.1"), "none with --denoiser"),
    ],
    ids=["another's setting", "another's models", "denoiser"],
)
def test_what_it_does_not_declare_is_refused(registered, arguments, text):
    with pytest.raises(InputError, match=text):
        parsed(*ASKED, *arguments)


def test_the_command_knows_it_by_its_file(tmp_path, run_script):
    flags = [f"--plugins={TOY}", f"--output_dir={tmp_path / 'run'}"]
    flags += [*ASKED, "--epochs=1", "--model=fc5", "--replays=2"]
    done = run_script(pathlib.Path(__file__).parent.parent / "train.py", *flags)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: --replays: expected nothing with")
    assert not (tmp_path / "run").exists()

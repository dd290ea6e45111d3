"""Flags become a config, mistakes become one line; nothing here may import TensorFlow."""

import dataclasses
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

from robust_keras.errors import InputError
from robust_keras.programs import command_line
from robust_keras.settings.config import EvaluateConfig, TrainConfig

ROOT = pathlib.Path(__file__).parent.parent


def parse(config_class, *arguments):
    return command_line.parse(config_class, "A program.", ["program", *arguments])


def test_every_default_is_valid_and_flags_set_fields():
    assert parse(TrainConfig) == TrainConfig()
    made = parse(
        TrainConfig, "--epochs=3", "--learning_rate=1/100", "--augment", "--pruning_layers=conv"
    )
    assert (made.epochs, made.learning_rate, made.augment) == (3, 0.01, True)
    assert made.pruning_layers == ("conv",)
    assert parse(TrainConfig, "--noaugment").augment is False


def test_epsilons_take_fractions_and_are_sorted():
    made = parse(EvaluateConfig, "--models=a,b", "--epsilons=0.1,8/255,0")
    assert made.epsilons == (0.0, 8 / 255, 0.1)
    assert made.models == ("a", "b")


def test_flagfile(tmp_path):
    flagfile = tmp_path / "run.cfg"
    flagfile.write_text("# a comment\n--epochs=7\n--model=fc5\n")
    made = parse(TrainConfig, f"--flagfile={flagfile}", "--seed=3")
    assert (made.epochs, made.model, made.seed) == (7, "fc5", 3)


@pytest.mark.parametrize("config_class", [TrainConfig, EvaluateConfig])
def test_json_round_trip(config_class):
    required = {"models": ("m",)} if config_class is EvaluateConfig else {}
    made = config_class(**required)
    assert config_class.from_json(made.to_json()) == made


def test_json_with_an_unknown_field_is_refused():
    with pytest.raises(InputError, match="only the fields of TrainConfig"):
        TrainConfig.from_json('{"epoch": 3}')


def test_the_default_directory_names_the_run():
    assert TrainConfig(activation="mrelu").output_dir == str(
        pathlib.Path("runs/mnist5k-lenet5-mrelu")
    )
    assert "/" not in TrainConfig(dataset="emnist/letters").output_dir.removeprefix("runs/")


@pytest.mark.parametrize("program", ["train.py", "evaluate.py"])
def test_help_names_every_flag_without_importing_tensorflow(program):
    # A finder that refuses TensorFlow and Keras proves that help does not need them.
    script = (
        "import sys, runpy\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('tensorflow', 'keras', 'numpy'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        f"sys.argv = ['{program}', '--help']\n"
        f"runpy.run_path('{program}', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    config_class = TrainConfig if program == "train.py" else EvaluateConfig
    for field in dataclasses.fields(config_class):
        assert f"--{field.name}" in done.stdout
    assert "python " + program in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert ("--models=...  (required)" in done.stdout) == (program == "evaluate.py")
    trains = program == "train.py"
    assert ("--replays=...  (default: 8, as published)" in done.stdout) == trains
    assert not re.search(r"\b0 for (the published )?\d", done.stdout)


@pytest.mark.parametrize(("asked", "code"), [(["--help"], 0), ([], 2)])
def test_the_package_itself_tells_its_programs(asked, code):
    command = [sys.executable, "-m", "robust_keras", *asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code and bool(done.stdout) == (code == 0)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert all(name in done.stdout + done.stderr for name in scripts)

"""README, docs and configs do what they say: their commands parse, their code runs."""

import contextlib
import pathlib
import re
import shlex

import keras
import numpy as np
import pytest

from robust_keras.config import EvaluateConfig, TrainConfig
from robust_keras.programs import command_line

ROOT = pathlib.Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
CLASSES = {"train.py": TrainConfig, "evaluate.py": EvaluateConfig}


def commands(text):
    """Every `python train.py ...` or `python evaluate.py ...` in a text."""
    return re.findall(r"python (?:train|evaluate)\.py [^`\n]*--[^`\n]*", text)


def parse(command, monkeypatch):
    program, *arguments = shlex.split(command)[1:]
    monkeypatch.chdir(ROOT)
    return command_line.parse(CLASSES[program], "", [program, *arguments])


def all_commands():
    sources = [*DOCUMENTS, *CONFIGS, ROOT / "train.py", ROOT / "evaluate.py"]
    found = [
        pytest.param(command, id=f"{source.name}: {command}")
        for source in sources
        for command in commands(source.read_text(encoding="utf-8"))
        if "--help" not in command and "=..." not in command
    ]
    assert len(found) > 5
    return found


@pytest.mark.parametrize("command", all_commands())
def test_every_command_parses(command, monkeypatch):
    parse(command, monkeypatch)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_config_begins_with_its_command(path):
    comments = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert len(comments) >= 3
    assert f"--flagfile=configs/{path.name}" in comments[-1]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    for target in targets:
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_python_in_the_readme_runs():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    names = {
        "images": np.random.default_rng(0).uniform(size=(64, 28, 28, 1)).astype("float32"),
        "labels": np.arange(64) % 10,
    }
    for block in blocks:
        # The second block trains the model of the first, too short to end its pruning.
        with pytest.warns() if "PruneLowMagnitude" in block else contextlib.nullcontext():
            exec(block, names)  # noqa: S102
    assert isinstance(names["model"], keras.Model)
    assert names["model"].optimizer.iterations > 0

"""What a run tells to type next: commands that parse and do what they say."""

import shlex
import sys
import types

import pytest

from robust_keras.programs import command_line, next_step
from robust_keras.settings.config import EvaluateConfig, TrainConfig

TRAINED = {
    "plain": ({}, {"output_dir": "runs/mnist5k-lenet5-relu/report"}),
    "adversarial": (
        {"adversarial": "pgd", "train_epsilon": 8 / 255},
        {"epsilons": (8 / 255,)},
    ),
    "own data": (
        {"dataset": "my data.npz", "output_dir": "here"},
        {"dataset": "my data.npz", "output_dir": "here/report"},
    ),
}


@pytest.mark.parametrize("name", TRAINED)
def test_after_training_the_command_attacks_that_export(name, monkeypatch):
    settings, expected = TRAINED[name]
    monkeypatch.setattr(sys, "argv", ["../train.py"])
    program, path, *arguments = shlex.split(
        next_step.after_training(TrainConfig(**settings), "runs/x/serving")
    )
    assert (program, path) == ("python", "../evaluate.py")
    found = command_line.parse(EvaluateConfig, "", ["evaluate.py", *arguments])
    assert found.models == ("runs/x/serving",)
    assert {key: getattr(found, key) for key in expected} == expected


def test_an_installed_program_names_the_other_installed_one(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/robust-keras-train"])
    assert next_step.after_training(TrainConfig(), "a").startswith("robust-keras-evaluate --models")
    assert next_step.typed(["--x=a b"]) == "robust-keras-train '--x=a b'"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("quotable", "preliminary"), "open report.html in a browser"),
        (("quotable", "unreliable"), "open report.html in a browser: why not to believe m1"),
    ],
)
def test_after_an_evaluation_the_report(verdicts, expected):
    models = [
        types.SimpleNamespace(name=f"m{n}", path="", verdict=v) for n, v in enumerate(verdicts)
    ]
    report = types.SimpleNamespace(models=models)
    assert next_step.after_evaluation(report, "report.html") == expected

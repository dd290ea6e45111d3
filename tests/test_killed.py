"""Killed between any two file operations, the same command ends as if nothing had happened."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
KILLED = 137
FULL = "No space left on device: free some space, then the same command goes on from here"
TRAIN = ["--dataset=mine.npz", "--model=fc5", "--epochs=1", "--batch_size=50", "--layer_log=always"]
EVALUATE = ["--models=model.keras", "--dataset=mine.npz", "--attacks=fgsm,pgd", "--batch_size=16"]
EVALUATE += ["--epsilons=0.01,0.05", "--keep_examples"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A tiny data set and model."""
    path = tmp_path_factory.mktemp("world")
    random = np.random.default_rng(0)
    images = random.uniform(size=(160, 8, 8, 1)).astype(np.float32)
    labels = (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int64)
    test = {"x_test": images[:40], "y_test": labels[:40]}
    np.savez(path / "mine.npz", x_train=images, y_train=labels, **test)
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential(layers).save(path / "model.keras")
    return path


def run(path, *steps):
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "killed_programs.py", json.dumps(steps)],
        cwd=path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def names(path):
    found = {str(item.relative_to(path)) for item in path.rglob("*")}
    return {name for name in found if "tfevents" not in name}


def test_training_that_was_killed_at_single_file_operations(world):
    parts, whole = [[*TRAIN, f"--output_dir={name}"] for name in ("parts", "whole")]
    first, full, *killed, last, unbroken = run(
        world,
        ["train", parts, ["os.rename", "config.json", 1]],
        ["train", parts, ["os.rename", ".csv", 1, "full"]],
        ["train", parts, ["os.rename", "best.txt", 1]],
        ["train", parts, ["open", "layers.json", 1]],
        ["train", parts, ["os.rename", "serving/1", 1]],
        ["train", parts, None],
        ["train", whole, None],
    )
    assert (full[0], full[1].count(FULL)) == (2, 1), full[1]
    assert [code for code, _ in [first, *killed]] == [KILLED] * 4
    assert (last[0], unbroken[0]) == (0, 0), last[1]
    assert names(world / "parts") == names(world / "whole")
    for name in ("logs/training.csv", "logs/layers.csv", "checkpoints/best.txt"):
        assert (world / "parts" / name).read_text() == (world / "whole" / name).read_text(), name
    models = [
        keras.models.load_model(world / name / kept).get_weights()
        for kept in ("model.keras", "checkpoints/best.keras")
        for name in ("parts", "whole")
    ]
    for a, b in ((models[0], models[1]), (models[2], models[3])):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def comparable(value):
    if isinstance(value, dict):
        left_out = {"created", "command", "seconds"}
        return {name: comparable(v) for name, v in value.items() if name not in left_out}
    return [comparable(item) for item in value] if isinstance(value, list) else value


def test_an_evaluation_that_was_killed_at_single_file_operations(world):
    parts, whole = [[*EVALUATE, f"--output_dir={name}"] for name in ("report", "other")]
    first, full, *killed, again, unbroken = run(
        world,
        ["evaluate", parts, ["os.rename", ".npz", 3]],
        ["evaluate", parts, ["os.rename", "report.html", 1, "full"]],
        ["evaluate", parts, ["os.rename", "report.json", 1]],
        ["evaluate", parts, ["os.remove", ".npz", 2]],
        ["evaluate", parts, None],
        ["evaluate", whole, None],
    )
    assert (full[0], full[1].count(FULL)) == (2, 1), full[1]
    assert [code for code, _ in [first, *killed]] == [KILLED] * 3, killed
    assert again[0] == 2, again[1]
    assert "holds report.json" in again[1]
    assert unbroken[0] == 0
    resumed, other = world / "report", world / "other"
    assert names(resumed) == names(other)
    for name in ("examples.csv", "adversarial_examples.npz"):
        assert (resumed / name).read_bytes() == (other / name).read_bytes(), name
    reports = [json.loads((path / "report.json").read_text()) for path in (resumed, other)]
    assert comparable(reports[0]) == comparable(reports[1])

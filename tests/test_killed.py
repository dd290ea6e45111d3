"""Killed between any two file operations, the same command ends as if nothing had happened."""

import keras
import numpy as np
import pytest
from killed_programs import KILLED, left

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


def test_training_that_was_killed_at_single_file_operations(world, run_killed):
    parts, whole = [[*TRAIN, f"--output_dir={name}"] for name in ("parts", "whole")]
    first, full, *killed, last, unbroken = run_killed(
        world,
        ["train", parts, ["os.rename", "config.json", 1]],
        ["train", parts, ["os.rename", ".csv", 1, "full"]],
        ["train", parts, ["os.rename", "best.txt", 1]],
        ["train", parts, ["open", "layers.json", 1, "power"]],
        ["train", parts, ["os.rename", "serving/1", 1]],
        ["train", parts, None],
        ["train", whole, None],
    )
    assert (full[0], full[1].count(FULL)) == (2, 1), full[1]
    assert [code for code, _ in [first, *killed]] == [KILLED] * 4
    assert (last[0], unbroken[0]) == (0, 0), last[1]
    # The power went after the epoch.
    assert "resuming after epoch 1 of 1" in killed[-1][1]
    assert left(world / "parts") == left(world / "whole")


def test_an_evaluation_that_was_killed_at_single_file_operations(world, run_killed):
    parts, whole = [[*EVALUATE, f"--output_dir={name}"] for name in ("report", "other")]
    first, full, *killed, again, unbroken = run_killed(
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
    assert left(world / "report") == left(world / "other")

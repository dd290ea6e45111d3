"""train.py and evaluate.py as a user runs them: processes, signals, files."""

import csv
import functools
import json
import pathlib
import re
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras import (
    data,
    layers,  # noqa: F401  (registers what model.keras names)
)
from robust_keras.reporting import Report

ROOT = pathlib.Path(__file__).parent.parent


def command(program, *arguments):
    return [sys.executable, str(ROOT / program), *map(str, arguments)]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory, run_script):
    """The quickstart, shortened to one epoch and forty images."""
    path = tmp_path_factory.mktemp("quickstart")
    flags = [f"--flagfile={ROOT}/configs/quickstart.cfg", "--model=fc5", "--activation=relu"]
    flags += ["--epochs=1", f"--output_dir={path}/run"]
    # In a process that imports everything itself, as a user's does.
    trained = subprocess.run(
        command("train.py", *flags), cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert trained.returncode == 0, trained.stderr[-2000:]
    evaluated = run_script(
        ROOT / "evaluate.py",
        f"--flagfile={ROOT}/configs/quickstart_evaluate.cfg",
        f"--models={path}/run/serving,{path}/run/model.keras",
        "--examples=40",
        "--attacks=uniform_noise,fgsm",
        f"--output_dir={path}/run/report",
    )
    assert evaluated.returncode == 0, evaluated.output[-2000:]
    return path / "run", trained, evaluated


def test_training_leaves_everything_that_was_promised(quickstart):
    path, trained, _ = quickstart
    for name in ("model.keras", "config.json", "serving/1/saved_model.pb", "logs/training.csv"):
        assert (path / name).is_file(), name
    assert "sparsity 0.8000" in trained.stdout
    assert str(path / "serving" / "1") in trained.stdout
    took, next_step = trained.stdout.splitlines()[-2:]
    assert re.fullmatch(r"took +\d.* s", took)
    assert re.fullmatch(rf"next +python \S+evaluate\.py --models={path}/serving .+", next_step)
    assert trained.stderr == ""


def test_the_export_has_the_promised_signatures_and_the_logits_of_the_keras_model(quickstart):
    path, _, _ = quickstart
    served = tf.saved_model.load(str(path / "serving" / "1"))
    default, logits = served.signatures["serving_default"], served.signatures["logits"]
    assert list(default.structured_input_signature[1]) == ["images"]
    assert set(default.structured_outputs) == {"probabilities", "classes", "confidence", "valid"}
    assert set(logits.structured_outputs) == {"logits"}
    images = data.load("mnist5k").test.float_images()[:50]
    expected = keras.models.load_model(path / "model.keras")(images)
    exported = logits(images=tf.constant(images))["logits"]
    assert np.max(np.abs(exported - expected)) < 1e-5


def test_the_report_holds_both_forms_of_the_model_and_agrees_on_them(quickstart):
    path, _, evaluated = quickstart
    report = Report.read(path / "report" / "report.json")
    assert [model.format for model in report.models] == ["saved_model", "keras"]
    served, saved = report.models
    assert served.clean_accuracy == saved.clean_accuracy
    assert served.worst_case == saved.worst_case
    assert served.sparsity == pytest.approx(0.8, abs=0.01)
    assert not served.reliable  # one step of one attack proves nothing
    assert "evaluate.py" in report.command
    page = (path / "report" / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert (path / "report" / "figures").is_dir()
    assert str(path / "report" / "report.html") in evaluated.stdout
    took, next_step = evaluated.stdout.splitlines()[-2:]
    assert re.fullmatch(r"took +\d.* s", took)
    assert re.match(rf"next +open {path}/report/report\.html in a browser", next_step)
    assert evaluated.stderr == ""


def test_a_second_run_is_refused_and_changes_nothing(quickstart, run_script):
    path, _, _ = quickstart
    before = {item: item.stat().st_mtime_ns for item in path.rglob("*")}
    settings = json.loads((path / "config.json").read_text())
    flags = [f"--flagfile={ROOT}/configs/quickstart.cfg", "--epochs=1", f"--output_dir={path}"]
    again = run_script(ROOT / "train.py", *flags)
    assert settings["epochs"] == 1
    assert again.returncode == 2
    assert "a finished run" in again.stderr
    assert {item: item.stat().st_mtime_ns for item in path.rglob("*")} == before


@pytest.fixture
def mine(tmp_path):
    """A small data set beside which a program is run: dark images and bright ones."""
    random = np.random.default_rng(0)
    labels = np.arange(400) % 2
    images = random.uniform(size=(400, 8, 8, 1)) * (0.5 + 0.5 * labels[:, None, None, None])
    images = images.astype(np.float32)
    test = {"x_test": images[:50], "y_test": labels[:50]}
    np.savez(tmp_path / "mine.npz", x_train=images, y_train=labels, **test)
    return images[:50], labels[:50]


def test_ctrl_c_in_the_middle_and_the_same_command_again(mine, tmp_path, run_script):
    flags = ["--dataset=mine.npz", "--model=fc5", "--epochs=12", "--batch_size=8"]
    with subprocess.Popen(
        command("train.py", *flags, "--output_dir=parts"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores SIGINT, and its children would, too.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        for line in process.stdout:
            if line.startswith("Epoch 4/"):
                process.send_signal(signal.SIGINT)
                break
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert errors == "interrupted; the same command goes on from here\n"
    assert not (tmp_path / "parts" / "serving").exists()
    resumed = run_script(ROOT / "train.py", *flags, "--output_dir=parts", cwd=tmp_path)
    assert resumed.returncode == 0 and "resuming after epoch" in resumed.output
    # That it ends with the weights of an unbroken run is seen in test_fit.py and test_killed.py.
    with open(tmp_path / "parts" / "logs" / "training.csv", encoding="utf-8") as file:
        assert [int(row["epoch"]) for row in csv.DictReader(file)] == list(range(12))
    assert (tmp_path / "parts" / "serving" / "1" / "saved_model.pb").is_file()


def test_mixed_precision_under_a_mirrored_strategy_serves_float32(mine, tmp_path, run_script):
    trained = run_script(
        ROOT / "train.py",
        "--dataset=mine.npz",
        "--model=fc5",
        "--activation=parametric_softplus",
        "--epochs=2",
        "--batch_size=40",
        "--precision=mixed_bfloat16",
        "--distribute=mirrored",
        "--final_sparsity=0.5",
        "--serving_version=3",
        "--output_dir=run",
        cwd=tmp_path,
    )
    assert trained.returncode == 0, trained.output[-2000:]
    served = tf.saved_model.load(str(tmp_path / "run" / "serving" / "3"))
    images, labels = mine
    logits = served.signatures["logits"](images=tf.constant(images))["logits"]
    assert logits.dtype == tf.float32
    saved = keras.models.load_model(tmp_path / "run" / "model.keras")
    policies = {layer.dtype_policy.name for layer in saved.layers}
    assert policies == {"mixed_bfloat16", "float32"}
    assert np.mean(np.argmax(logits, axis=1) == labels) > 0.9

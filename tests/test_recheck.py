"""The script beside a report proves its claim by itself and sees through a false one."""

import importlib.util
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest
import small_network

import robust_keras
from robust_keras import serving

SCRIPT = pathlib.Path(robust_keras.__file__).with_name("recheck.py")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A directory with a model in `serving` and a report on it in `report`."""
    # Which TensorFlow takes for a pattern.
    directory = tmp_path_factory.mktemp("recheck") / "[1]\\x"
    directory.mkdir()
    images, labels = small_network.digits(side=7)
    layers = [keras.Input((7, 7, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(images, labels, batch_size=100, epochs=3, verbose=0)
    serving.export(model, directory / "serving")
    result = robust_keras.evaluate(
        str(directory / "serving"),
        images[:60],
        labels[:60],
        attacks="fgsm",
        epsilons=(0.02, 0.1),
        progress=False,
    )
    result.save(directory / "report")
    return directory


@pytest.fixture
def beside(finished, tmp_path):
    """A copy of the report."""
    shutil.copytree(finished / "report", tmp_path / "report")
    return tmp_path / "report"


def status(directory, *paths):
    """What the script says of a copy, in this process."""
    spec = importlib.util.spec_from_file_location("recheck", directory / "recheck.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([str(path) for path in paths], directory)


def change(directory, **functions):
    path = directory / "adversarial_examples.npz"
    with np.load(path) as kept:
        arrays = dict(kept)
    np.savez(path, **arrays | {name: make(arrays) for name, make in functions.items()})


def test_it_proves_the_claim_in_a_plain_process(finished, run_plain_script):
    script = finished / "report" / "recheck.py"
    done = run_plain_script(script, cwd=finished)
    assert done.returncode == 0, done.output
    report = json.loads((finished / "report" / "report.json").read_text())
    (model,) = report["models"]
    fallen = 60 - model["worst_case"]["correct"][-1]
    assert fallen > 5
    assert f"{fallen} kept, {fallen} fooled, {fallen} of them allowed" in done.output
    assert script.read_bytes() == SCRIPT.read_bytes()
    assert len(SCRIPT.read_text().splitlines()) <= 80
    assert "robust_keras" not in SCRIPT.read_text()


def test_a_false_claim_is_seen_through(beside, capsys):
    value = json.loads((beside / "report.json").read_text())
    worst = value["models"][0]["worst_case"]
    assert status(beside) == 0 and worst["correct"][0] > 0
    worst["correct"][0] -= 1
    (beside / "report.json").write_text(json.dumps(value))
    assert status(beside) == 1
    change(beside, images=lambda kept: kept["originals"])
    assert status(beside) == 1 and " 0 fooled" not in capsys.readouterr().out


def test_a_change_beyond_its_epsilon_does_not_count(beside):
    change(
        beside,
        images=lambda kept: np.clip(3 * kept["images"] - 2 * kept["originals"], 0, 1),
    )
    assert status(beside) == 1


def test_towards_one_class_only_that_answer_counts(finished, tmp_path):
    images, labels = small_network.digits(side=7)
    result = robust_keras.evaluate(
        str(finished / "serving"),
        images[:60],
        labels[:60],
        attacks="pgd",
        epsilons=(0.1,),
        target_class=3,
        progress=False,
    )
    result.save(tmp_path)
    assert status(tmp_path) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    report["threat_model"]["target_class"] = 4
    (tmp_path / "report.json").write_text(json.dumps(report))
    assert status(tmp_path) == 1


def test_what_cannot_be_asked_is_told(beside, finished, capsys):
    assert status(beside, finished / "nothing") == 2
    (beside / "adversarial_examples.npz").unlink()
    assert status(beside, finished / "serving") == 2
    assert capsys.readouterr().out.count("cannot be asked: ") == 2

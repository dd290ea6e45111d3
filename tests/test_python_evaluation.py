"""`robust_keras.evaluate`: every kind of model and data, the command's numbers, clear refusals."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import toy_attack

import robust_keras
from robust_keras import attacks, data
from robust_keras.attacks import PGD, Square
from robust_keras.engine import evaluate_attacks
from robust_keras.errors import InputError
from robust_keras.runs import evaluation, given_images, model_run
from robust_keras.settings.config import EvaluateConfig

pytestmark = pytest.mark.usefixtures("graphs_as_written")

ROOT = pathlib.Path(__file__).parent.parent
QUICKLY = {"attacks": "fgsm,pgd", "epsilons": (0.1, 0.2), "batch_size": 20, "progress": False}


@pytest.fixture(scope="module")
def images():
    split = data.load("mnist5k").test.take(20, seed=0)
    return split.float_images(), split.labels


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    model = keras.Sequential(layers, name="linear")
    split = data.load("mnist5k").train.take(600, seed=1)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(split.float_images(), split.labels, epochs=3, verbose=0)
    return model


@pytest.fixture(scope="module")
def result(model, images):
    return robust_keras.evaluate(model, *images, **QUICKLY)


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "linear.keras"
    model.save(path)
    return str(path)


def numbers(report):
    return (
        report.clean_accuracy,
        report.worst_case.accuracy,
        [(attack.name, attack.accuracy, attack.skipped) for attack in report.attacks],
        report.verdict,
    )


def test_it_gives_the_numbers_of_the_command(path, images):
    config = EvaluateConfig(
        models=(path,), examples=20, attacks=("fgsm", "pgd"), epsilons=(0.1, 0.2), batch_size=20
    )
    report, _, tables = evaluation.evaluate(config)
    found = robust_keras.evaluate(path, *images, **QUICKLY)
    assert numbers(found.models[0]) == numbers(report.models[0])
    for field in dataclasses.fields(found.tables[path]):
        mine, theirs = (getattr(rows[path], field.name) for rows in (found.tables, tables))
        np.testing.assert_equal(mine, theirs)


def test_every_kind_of_model_and_of_data(model, path, images, result):
    kernel, bias = map(np.asarray, model.get_weights())

    def torch_like(batch):
        assert isinstance(batch, np.ndarray)
        return batch.reshape(len(batch), -1) @ kernel + bias

    models = {"keras": model, "file": path, "function": lambda x: model(x), "numpy": torch_like}
    dataset = tf.data.Dataset.from_tensor_slices(images)
    single = robust_keras.evaluate(path, dataset, **{**QUICKLY, "batch_size": "auto"})
    assert single.report.resolved_settings["batch_size"] in (16, 32)
    assert numbers(single.models[0]) == numbers(result.models[0])
    found = robust_keras.evaluate(models, dataset.batch(8), num_classes=10, **QUICKLY)
    assert [report.path for report in found.models] == list(models)
    for report in found.models[:3]:
        assert numbers(report) == numbers(result.models[0])
    blind = found.models[3]
    assert blind.clean_accuracy == result.models[0].clean_accuracy
    assert all(attack.skipped for attack in blind.attacks) and not blind.reliable
    # What fooled the others is tried on it, and fools it.
    (known,) = (check for check in blind.audit if check.check == "transferred examples")
    assert known.passed is False and known.evidence["broken"][-1] > 0
    before, after = blind.worst_case.before_audit[-1], blind.worst_case.accuracy[-1]
    assert after <= result.models[0].worst_case.accuracy[-1] < before == blind.clean_accuracy
    searched = robust_keras.evaluate(
        {"numpy": torch_like},
        *images,
        num_classes=10,
        **{**QUICKLY, "attacks": [Square(queries=300)]},
    )
    assert searched.models[0].worst_case.before_audit[-1] < blind.clean_accuracy


def test_attacks_as_objects_and_bytes_as_images(model, images, result):
    found = robust_keras.evaluate(
        model,
        np.round(images[0] * 255).astype(np.uint8)[..., 0],
        images[1][:, None],
        **{**QUICKLY, "attacks": PGD()},
    )
    assert found.models[0].attacks[0].accuracy == result.models[0].attacks[1].accuracy


DIGITS = np.array("zero one two three four five six seven eight nine".split())


@pytest.mark.parametrize(
    "changed",
    [
        lambda images, labels: (images, np.eye(10)[labels]),
        lambda images, labels: (images.tolist(), labels.astype(np.float32)),
        lambda images, labels: (images, labels.astype(str).astype(object)),
        lambda images, labels: (np.round(images * 255).astype(np.int64), labels[:, None]),
        lambda images, labels: (tf.data.Dataset.from_tensor_slices((images, np.eye(10)[labels])),),
    ],
)
def test_images_and_labels_are_read_as_a_files_are(images, changed):
    found = given_images.dataset_of(*changed(*images))
    np.testing.assert_array_equal(found.test.float_images(), images[0])
    assert found.test.labels.tolist() == images[1].tolist()
    assert found.numbered and found.notes


def test_labels_may_be_names(images):
    names = DIGITS[images[1]].astype(object)
    assert given_images.dataset_of(images[0], names).class_names == tuple(sorted({*names}))
    ordered = given_images.dataset_of(images[0], names, DIGITS)
    assert ordered.test.labels.tolist() == images[1].tolist()
    assert ordered.class_names == tuple(DIGITS)


def test_an_attack_that_is_registered_is_known_by_its_name(model, images):
    attacks.register(toy_attack.ToyAttack)
    pair = {"itself": model, "other": model}
    try:
        found = robust_keras.evaluate(
            pair, *images, **{**QUICKLY, "attacks": "toy"}, transfer=True, transfer_attack="toy"
        )
        with pytest.raises(InputError, match="^transfer_attack: .*did you mean toy"):
            robust_keras.evaluate(pair, *images, **QUICKLY, transfer=True, transfer_attack="toi")
    finally:
        del attacks.ATTACKS["toy"]
    (row, _) = found.report.transfer.sources
    assert found.report.transfer.attack == found.models[0].attacks[0].name == "toy"
    assert row.targets[1].accuracy == found.models[0].worst_case.accuracy


def test_what_can_be_done_with_a_result(result, tmp_path):
    assert "linear" in result.summary() and result.models[0].verdict in result.summary()
    assert "<img" in result._repr_html_() and "linear: " in repr(result)
    written = json.loads(result.save(tmp_path / "report").read_text(encoding="utf-8"))
    assert written["models"][0]["worst_case"]["accuracy"] == list(
        result.models[0].worst_case.accuracy
    )
    assert (tmp_path / "report" / "report.html").exists()
    with pytest.raises(InputError, match="finished report"):
        result.save(tmp_path / "report")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"attacks": "pdg"}, "did you mean pgd"),
        ({"attacks": 3}, "attacks: expected"),
        ({"norm": "l3"}, "^norm: expected one of linf, l2"),
        ({"epsilons": "x"}, "^epsilons: expected numbers"),
        ({"epsilons": (0.1, 8.0)}, "did you mean 8/255"),
        ({"batchsize": 3}, "did you mean batch_size"),
        ({"examples": 3}, "^examples: expected as many images"),
        ({"substitute": True}, "^substitute: expected evaluate.py"),
        ({"attacks": []}, "^attacks: expected at least one"),
        ({"attacks": [PGD(steps=3), PGD()]}, "each once; received pgd, pgd"),
        ({"transfer": True}, "^transfer: expected two or more models"),
        ({"distribute": "multi_worker"}, "^distribute: expected none or mirrored; processes share"),
        ({"class_names": ("a", "b")}, "labels"),
        ({"model": {}}, "at least one model"),
        ({"model": 3}, "a Keras model, a path"),
        ({"model": lambda x: x}, "num_classes=10"),
        ({"model": lambda x: 1 // 0, "num_classes": 10}, "ZeroDivisionError: integer division"),
        ({"model": lambda x: np.zeros((len(x), 3)), "num_classes": 10}, r"received shape \(2, 3\)"),
        ({"model": lambda x: x[:, 0, :9, 0], "num_classes": 10}, r"received shape \(2, 9\)"),
        ({"labels": None}, "^labels: expected"),
        ({"images": np.full((2, 28, 28, 1), 7.0), "labels": [0, 1]}, "images"),
        ({"labels": np.full((20, 10), 0.1)}, "^labels: expected one class an image"),
        ({"images": [[[0.0]], [[0.0, 1.0]]]}, "^images: expected an array; received list"),
        ({"model": {"a": "x.keras", "b": "x.keras"}}, "every model once"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(model, images, wrong, message):
    given = {"model": model, "images": images[0], "labels": images[1], **QUICKLY, **wrong}
    with pytest.raises(InputError, match=message) as error:
        robust_keras.evaluate(**given)
    assert "\n" not in str(error.value)


def test_to_import_it_loads_no_tensorflow(run_plain_code):
    script = "import sys, robust_keras; print(robust_keras.evaluate, 'tensorflow' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert printed.stdout.startswith("<function") and printed.stdout.endswith("False\n")
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import robust_keras;"
    script += "print(robust_keras.attacks.register, hasattr(robust_keras, 'nothing'))"
    found = run_plain_code(script).stdout
    assert "register" in found and found.endswith("False\n")


def test_memory_that_ends_beside_an_attack_halves_the_batch_and_changes_nothing(
    model, images, result, monkeypatch
):
    sizes = []

    def short_of_memory(function, most):
        def run(*given, **settings):
            size = settings.get("batch_size", given[-1])
            sizes.append(size)
            if size > most:
                raise tf.errors.ResourceExhaustedError(None, None, "no more memory")
            return function(*given, **settings)

        return run

    for place, name, most in ((evaluate_attacks, "predict", 10), (model_run, "audit", 5)):
        monkeypatch.setattr(place, name, short_of_memory(getattr(place, name), most))
    found = robust_keras.evaluate(model, *images, **QUICKLY)
    assert sizes[:4] == [20, 10, 10, 5]
    assert numbers(found.models[0]) == numbers(result.models[0])
    assert found.models[0].outcomes == result.models[0].outcomes
    kept = [(check.check, check.passed) for check in found.models[0].audit]
    assert kept == [(check.check, check.passed) for check in result.models[0].audit]

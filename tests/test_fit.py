"""Training runs: same seed same weights, resuming, logs, pruning, two replicas."""

import csv
import json
import zipfile

import keras
import numpy as np
import pytest

from robust_keras import training
from robust_keras.data import ImageSplit
from robust_keras.errors import InputError
from robust_keras.runs import training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.settings.config import TrainConfig
from robust_keras.training.logs import StopOnNonFiniteLoss
from robust_keras.training.losses import TemperatureCrossEntropy


def images(count=60, seed=0):
    """Bright squares left or right, so that there is something to learn."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pixels = random.uniform(0.0, 0.4, (count, 6, 6, 1)).astype(np.float32)
    for pixel, label in zip(pixels, labels, strict=True):
        pixel[2:4, 3 * label : 3 * label + 3] += 0.6
    return ImageSplit(pixels, labels)


def network():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2),
        ]
    )


def config(path, **changes):
    settings = {
        "output_dir": str(path),
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 0.01,
        "validation_fraction": 0.2,
        "augment": True,
    }
    return TrainConfig(**{**settings, **changes})


def run(settings, interrupt_at=None, monkeypatch=None):
    """Trains from scratch, or from what is in the directory, perhaps only to a certain step."""
    steps = []
    original = StopOnNonFiniteLoss.on_train_batch_end

    def interrupting(self, batch, logs=None):
        steps.append(batch)
        if len(steps) == interrupt_at:
            raise KeyboardInterrupt
        original(self, batch, logs)

    if interrupt_at:
        monkeypatch.setattr(StopOnNonFiniteLoss, "on_train_batch_end", interrupting)
    training.make_reproducible(settings.seed)
    model = network()
    try:
        training_run.fit(model, images(), settings, TrainingDirectory(settings))
    finally:
        monkeypatch and monkeypatch.undo()
    return model


def csv_rows(settings):
    with TrainingDirectory(settings).csv_path.open() as file:
        return list(csv.DictReader(file))


PRUNED = {"final_sparsity": 0.5, "pruning_begin": 0.0, "pruning_end": 0.9, "pruning_frequency": 4}


# Without pruning: test_adversarial_training.py.
def test_an_interrupted_run_ends_with_the_weights_of_a_whole_one(tmp_path, monkeypatch):
    whole = run(config(tmp_path / "whole", **PRUNED))
    parts = config(tmp_path / "parts", **PRUNED)
    with pytest.raises(KeyboardInterrupt):
        run(parts, interrupt_at=9, monkeypatch=monkeypatch)  # six steps an epoch: in the second
    assert len(csv_rows(parts)) == 1
    resumed = run(parts)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert [row["epoch"] for row in csv_rows(parts)] == ["0", "1", "2"]
    assert csv_rows(parts) == csv_rows(config(tmp_path / "whole", **PRUNED))


def test_another_seed_gives_other_weights(tmp_path):
    a = run(config(tmp_path / "a", epochs=1))
    b = run(config(tmp_path / "b", epochs=1, seed=1))
    assert any(np.any(x != y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


def test_pruning_reaches_its_sparsity_and_the_model_still_learns(tmp_path):
    settings = config(tmp_path / "run", epochs=4, learning_rate=0.03, augment=False, **PRUNED)
    model = run(settings)
    assert training.sparsity(model) == pytest.approx(0.5, abs=0.01)
    assert training.accuracy(model, images(seed=1), 16) > 0.9


def test_logs_and_checkpoints_are_where_they_should_be(tmp_path):
    settings = config(tmp_path / "run", epochs=2)
    run(settings)
    directory = TrainingDirectory(settings)
    assert json.loads((directory.path / "config.json").read_text())["epochs"] == 2
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(csv_rows(settings)[0])
    assert list(directory.tensorboard_path.rglob("events.out.*"))
    best = keras.models.load_model(directory.best_path)
    scores = [float(row["val_accuracy"]) for row in csv_rows(settings)]
    assert float(directory.best_path.with_suffix(".txt").read_text()) == pytest.approx(max(scores))
    assert best.count_params() == network().count_params()
    assert not list(directory.path.rglob("*part*"))


def test_best_checkpoint_waits_for_the_end_of_pruning(tmp_path):
    settings = config(tmp_path / "run", **PRUNED)
    run(settings)
    best = keras.models.load_model(TrainingDirectory(settings).best_path)
    assert training.sparsity(best) == pytest.approx(0.5, abs=0.01)


def test_a_loss_that_is_not_finite_ends_the_run_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"finite loss \(a lower --learning_rate.*epoch \d, step"):
        run(config(tmp_path / "run", optimizer="sgd", learning_rate=1e3))


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    settings = config(tmp_path / "run", epochs=1)
    run(settings)
    path = TrainingDirectory(settings).checkpoint_path
    np.savez(path, epochs=1, variable_0=np.zeros(3))
    with pytest.raises(InputError, match="a checkpoint of this model"):
        run(settings)
    path.write_text("no checkpoint")
    with pytest.raises(InputError, match="expected a checkpoint"):
        run(settings)
    assert not zipfile.is_zipfile(path)


@pytest.mark.parametrize("temperature", [1.0, 20.0])
def test_temperature_loss_has_the_gradient_of_its_formula(temperature):
    import tensorflow as tf

    logits = tf.Variable([[3.0, -1.0, 0.5], [0.0, 2.0, 40.0]])
    labels = np.array([0, 1])
    with tf.GradientTape() as tape:
        loss = TemperatureCrossEntropy(temperature, reduction="sum")(labels, logits)
    p = np.exp(logits.numpy() / temperature)
    p /= p.sum(axis=1, keepdims=True)
    expected = (p - np.eye(3)[labels]) / temperature
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-6)


def test_temperature_loss_round_trip_and_error():
    loss = TemperatureCrossEntropy(5.0)
    assert keras.losses.deserialize(keras.losses.serialize(loss)).temperature == 5.0
    with pytest.raises(ValueError, match="a number from .* Received: temperature=0"):
        TemperatureCrossEntropy(0.0)


TWO_REPLICAS = """
import contextlib, json, sys
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path[:0] = [".", "tests"]
import keras
from test_fit import config, csv_rows, images
from robust_keras import distribution, training
from robust_keras.runs import training_run
from robust_keras.runs.run_directory import TrainingDirectory

def trained(name):
    settings = config(f"{sys.argv[1]}/{name}", epochs=2, distribute=name, augment=False,
                      final_sparsity=0.5, pruning_begin=0.0, pruning_frequency=4, nuclear_norm=0.01)
    training.make_reproducible(0)
    strategy = distribution.strategy(name, batch_size=8)
    with strategy.scope():
        model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(),
                                  keras.layers.Dense(8, "relu"), keras.layers.Dense(2)])
        training_run.fit(model, images(), settings, TrainingDirectory(settings))
    return {"replicas": strategy.num_replicas_in_sync, "sparsity": training.sparsity(model),
            "loss": [float(row["loss"]) for row in csv_rows(settings)]}

print(json.dumps([trained("none"), trained("mirrored")]))
"""


def test_two_replicas_have_the_losses_of_one(tmp_path, run_code):
    done = run_code(TWO_REPLICAS, tmp_path)
    assert done.returncode == 0, done.output[-2000:]
    one, two = json.loads(done.output.splitlines()[-1])
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert one["sparsity"] == two["sparsity"] == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(one["loss"], two["loss"], rtol=1e-5)

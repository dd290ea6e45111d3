"""Gradient norms and slopes by layer: true numbers, in CSV and TensorBoard, and no trace left."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import config, images, network

from robust_keras import serving
from robust_keras.findings import LayerReport
from robust_keras.layers import KernelActivation
from robust_keras.layers.kernel_slope import kernel_slope
from robust_keras.notes.layer_facts import last_gradient_norms, layer_notes, read_layer_facts
from robust_keras.notes.slopes import kernel_slopes
from robust_keras.runs import run_callbacks
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.layer_log import LayerLog

SPLIT = images(24)


def kernel_network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Conv2D(3, 3, name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            KernelActivation(name="kaf"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3, name="dropout"),
            keras.layers.Dense(2, name="logits"),
        ]
    )


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def built(**settings):
    # The points below move one channel only, which another draw may leave nearly flat.
    keras.utils.set_random_seed(0)
    layer = KernelActivation(name="kaf", **settings)
    layer.build((None, 4))
    return layer


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"initializer": "random_normal", "boundary": 3.0},
        {"trainable_dictionary": True, "trainable_bandwidth": True},
        {"kernel": "softplus", "initializer": "random_normal"},
        {"paired": True, "dictionary_size": 6},
    ],
    ids=["elu", "random", "moving", "softplus", "paired"],
)
def test_the_largest_slope_is_at_least_that_of_any_difference(settings):
    layer = built(**settings)
    slope = kernel_slope(layer)
    random = np.random.default_rng(0)
    points = random.uniform(-7, 7, (4000, 4)).astype("float32")
    moved = points.copy()
    moved[:, 0] += 1e-2
    rise = np.abs(np.asarray(layer(moved)) - np.asarray(layer(points)))[:, 0].max() / 1e-2
    assert 0.2 * slope < rise <= slope * 1.02


def test_a_known_slope():
    # One Gaussian of bandwidth g has the largest slope sqrt(2 g / e).
    layer = built(bandwidth=2.0, initializer=keras.initializers.Zeros())
    values = np.zeros((4, 20), "float32")
    values[1, 7] = -3.0
    layer.mixing_coefficients.assign(values)
    assert kernel_slope(layer) == pytest.approx(3 * np.sqrt(4 / np.e), rel=1e-3)


def test_gradient_norms_are_those_of_the_loss_and_nothing_is_left_behind():
    model = kernel_network()
    model.get_layer("dropout").rate = 0.0
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    log = LayerLog(SPLIT.images, SPLIT.labels)
    log.set_model(model)
    before = [value.copy() for value in model.get_weights()]
    log.on_train_begin()
    found = log.gradient_norms()
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert set(found) == {"conv", "norm", "kaf", "logits"}
    with tf.GradientTape() as tape:
        logits = model(SPLIT.images, training=True)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(SPLIT.labels, logits)
        loss = tf.reduce_mean(loss)
    layers = [model.get_layer(name) for name in found]
    gradients = tape.gradient(loss, [layer.trainable_weights for layer in layers])
    for layer, parts in zip(layers, gradients, strict=True):
        expected = np.sqrt(sum(np.sum(part.numpy() ** 2) for part in parts))
        assert found[layer.name] == pytest.approx(expected, rel=1e-3)


def test_the_callback_writes_csv_and_tensorboard_from_before_the_first_step(tmp_path):
    model = kernel_network()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    path, board = tmp_path / "layers.csv", tmp_path / "board"
    log = LayerLog(SPLIT.images, SPLIT.labels, csv_path=path, tensorboard_path=board)
    model.fit(SPLIT.images, SPLIT.labels, epochs=2, verbose=0, callbacks=[log])
    rows = rows_of(path)
    assert [row["epoch"] for row in rows if row["layer"] == "conv"] == ["-1", "0", "1"]
    kaf = [row for row in rows if row["layer"] == "kaf"]
    assert float(kaf[-1]["largest_slope"]) == pytest.approx(kernel_slopes(model)["kaf"])
    assert all(float(row["gradient_norm"]) > 0 for row in rows)
    assert not any(row["largest_slope"] for row in rows if row["layer"] == "conv")
    norms = last_gradient_norms(path)
    assert norms == {row["layer"]: float(row["gradient_norm"]) for row in rows[-4:]}
    (events,) = board.iterdir()
    tags = {
        value.tag
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {"gradient_norm/conv", "gradient_norm/kaf", "largest_slope/kaf"} <= tags


def test_it_works_on_mirrored_weights_and_goes_on_where_a_run_was(tmp_path):
    path = tmp_path / "layers.csv"
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = kernel_network()
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    settings = {"batch_size": 12, "verbose": 0}
    for begin, end in ((0, 2), (1, 2)):  # the second epoch was begun twice
        log = LayerLog(SPLIT.images, SPLIT.labels, csv_path=path, initial_epoch=begin)
        fit = {"epochs": end, "initial_epoch": begin, "callbacks": [log], **settings}
        model.fit(SPLIT.images, SPLIT.labels, **fit)
    epochs = [row["epoch"] for row in rows_of(path) if row["layer"] == "kaf"]
    assert epochs == ["-1", "0", "1"]


def test_the_facts_travel_with_a_saved_model_and_are_computed_for_a_file(tmp_path):
    model = kernel_network()
    bare = serving.export(model, tmp_path / "bare")
    assert read_layer_facts(serving.load(bare)) == []
    (tmp_path / "logs").mkdir()
    csv_path = tmp_path / "logs" / "layers.csv"
    csv_path.write_text(
        "epoch,layer,gradient_norm,largest_slope\n-1,conv,9,\n0,conv,0.5,\n0,kaf,nan,3.0\n"
    )
    served = serving.export(model, tmp_path / "serving", notes=layer_notes(model, csv_path))
    slope = kernel_slopes(model)["kaf"]
    expected = [
        LayerReport(name="conv", gradient_norm=0.5),
        LayerReport(name="kaf", largest_slope=slope),
    ]
    assert read_layer_facts(serving.load(served)) == expected
    model.save(tmp_path / "model.keras")
    found = read_layer_facts(serving.load(tmp_path / "model.keras"))
    assert [fact.name for fact in found] == ["conv", "kaf"]
    assert found[1].largest_slope == pytest.approx(slope)
    assert serving.load(served).notes == ()
    file = served / "assets.extra" / "layers.json"
    file.write_text(file.read_text().replace("0.5", "0.1"))
    changed = serving.load(served)
    assert read_layer_facts(changed) == []
    assert "assets.extra/layers.json beside the model is not what was exported" in changed.notes[0]
    (served / "assets.extra" / "notes.sha256").unlink()
    file.write_text('{"a stranger": 1}')
    assert read_layer_facts(serving.load(served)) == []


@pytest.mark.parametrize(
    ("asked", "activation", "expected"),
    [("auto", "elu", 0), ("auto", "kaf", 1), ("always", "elu", 1), ("never", "kaf", 0)],
)
def test_a_run_logs_kernel_networks_unless_told_otherwise(tmp_path, asked, activation, expected):
    settings = config(tmp_path, layer_log=asked)
    model = kernel_network() if activation == "kaf" else network()
    directory = TrainingDirectory(settings)
    assert len(run_callbacks.layer_log(settings, model, SPLIT, directory, 0)) == expected

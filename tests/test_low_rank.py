"""Low-rank convolutions: closed form, conversion, constraint, what a run reports."""

import csv

import keras
import numpy as np
import pytest
from test_fit import config, images

from robust_keras import models, training
from robust_keras.runs import low_rank_run, training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.kernel_matrices import rank, rows_by_height, singular_values
from robust_keras.training.low_rank import convert, full_rank, rank_of, separate, truncate
from robust_keras.training.low_rank_training import KernelRanks, LowRankConstraint

KERNEL = np.random.default_rng(0).normal(size=(3, 5, 4, 6)).astype("float32")
IMAGES = np.random.default_rng(1).uniform(size=(5, 9, 11, 4)).astype("float32")
CONVOLUTIONS = {
    "same": {"padding": "same"},
    "valid": {"padding": "valid"},
    "strides": {"padding": "same", "strides": (2, 3)},
    "valid strides": {"padding": "valid", "strides": 2},
    "dilation": {"padding": "same", "dilation_rate": (2, 1)},
    "activation without bias": {"activation": "relu", "use_bias": False},
}


def one_convolution(**settings):
    layer = keras.layers.Conv2D(6, (3, 5), bias_initializer="ones", name="conv", **settings)
    return keras.Sequential([keras.Input((9, 11, 4)), layer])


def test_the_error_is_the_tail_of_the_singular_values_and_nothing_random_beats_it():
    values = singular_values(rows_by_height(KERNEL))
    generator = np.random.default_rng(2)
    for wanted in (1, 5, 11, 12):
        short = truncate(KERNEL, wanted)
        error = np.linalg.norm(short - KERNEL)
        assert error == pytest.approx(np.sqrt((values[wanted:] ** 2).sum()), abs=1e-5)
        assert rank(rows_by_height(short), 1e-5) == wanted
        left = generator.normal(size=(12, wanted))
        best, *_ = np.linalg.lstsq(left, rows_by_height(KERNEL), rcond=None)
        assert np.linalg.norm(left @ best - rows_by_height(KERNEL)) >= error - 1e-6


def test_the_two_kernels_are_those_of_the_formula():
    vertical, horizontal = separate(KERNEL, 3)
    assert vertical.shape == (3, 1, 4, 3) and horizontal.shape == (1, 5, 3, 6)
    product = np.zeros_like(KERNEL)
    for k in range(3):
        for i in range(3):
            for j in range(5):
                product[i, j] += np.outer(vertical[i, 0, :, k], horizontal[0, j, k])
    np.testing.assert_allclose(product, truncate(KERNEL, 3), atol=1e-5)
    with pytest.raises(ValueError, match=r"`rank` must be in 1..12. Received: rank=13"):
        separate(KERNEL, 13)


@pytest.mark.parametrize("settings", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_conversion_at_full_rank_computes_the_same(settings):
    model = one_convolution(**settings)
    copy, (layer,) = convert(model, full_rank((3, 5, 4, 6)))
    assert (layer.name, layer.rank, layer.full_rank) == ("conv", 12, 12)
    assert layer.error < 1e-5
    np.testing.assert_allclose(copy(IMAGES), model(IMAGES), atol=2e-5)


def test_conversion_below_full_rank_computes_the_truncated_kernel():
    model = one_convolution(padding="same")
    copy, (layer,) = convert(model, 0.25)
    kernel, bias = model.layers[0].get_weights()
    model.layers[0].set_weights([truncate(kernel, 3), bias])
    np.testing.assert_allclose(copy(IMAGES), model(IMAGES), atol=2e-5)
    assert layer.rank == 3
    assert copy.count_params() == 3 * 4 * 3 + 5 * 3 * 6 + 6 < model.count_params()
    assert layer.error == pytest.approx(
        np.linalg.norm(truncate(kernel, 3) - kernel) / np.linalg.norm(kernel), rel=1e-4
    )


def test_a_whole_network_is_converted_and_the_original_stays():
    model = models.build("resnet20", image_shape=(16, 16, 3), num_classes=4, nonsense_classes=2)
    before = [weights.copy() for weights in model.get_weights()]
    pixels = np.random.default_rng(0).uniform(size=(4, 16, 16, 3)).astype("float32")
    copy, layers = convert(model, 10_000)
    assert len(layers) > 15
    np.testing.assert_allclose(copy(pixels), model(pixels), atol=1e-3, rtol=1e-3)
    assert type(copy.layers[-1]) is type(model.layers[-1])
    assert copy.count_params() != model.count_params()
    copy.set_weights([0 * weights for weights in copy.get_weights()])
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_ranks_and_refusals():
    assert [rank_of((3, 5, 4, 6), r) for r in (0.01, 0.25, 0.3, 1, 7, 99)] == [1, 3, 4, 1, 7, 12]
    assert rank_of((10, 10, 1, 1), 0.3) == 3
    for wrong in (0, -1, 2.5):
        with pytest.raises(ValueError, match="`rank` must be a share in"):
            rank_of((3, 3, 1, 1), wrong)
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="`model` must have a 2D convolution"):
        convert(dense, 1)
    with pytest.raises(ValueError, match="`every` must be a whole number"):
        LowRankConstraint(0.5, every=0)
    assert rank(np.zeros((3, 2))) == 0


def network():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv1"),
            keras.layers.Conv2D(6, 3, activation="relu", name="conv2"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="logits"),
        ]
    )


def test_the_constraint_in_plain_keras_code_keeps_the_rank():
    keras.utils.set_random_seed(0)
    split, model = images(), network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(
        split.images,
        split.labels,
        epochs=2,
        callbacks=[LowRankConstraint(2, every=3), ranks := KernelRanks(separable=True)],
        verbose=0,
    )
    found = ranks.measure(model)
    assert (found["rank/conv1"], found["rank/conv2"]) == (2, 2)
    copy, layers = convert(model, 2)
    assert max(layer.error for layer in layers) < 1e-5
    np.testing.assert_allclose(copy(split.images), model(split.images), atol=1e-4)


COMBINED = {
    "layers": {},
    "layers, pruned": {"final_sparsity": 0.5, "pruning_begin": 0.0, "pruning_frequency": 4},
    "layers, fast": {"adversarial": "fast", "train_epsilon": 0.05},
    "constraint": {"low_rank_method": "constraint"},
    "constraint, fast": {
        "low_rank_method": "constraint",
        "adversarial": "fast",
        "train_epsilon": 0.05,
    },
}


@pytest.mark.parametrize("changes", COMBINED.values(), ids=COMBINED)
def test_runs_of_low_rank(tmp_path, capsys, changes):
    given = {"epochs": 4, "learning_rate": 0.03, "augment": False, **changes}
    settings = config(tmp_path, low_rank=2, **given)
    training.make_reproducible(0)
    model = low_rank_run.before_training(network(), settings)
    directory = TrainingDirectory(settings)
    training_run.fit(model, images(), settings, directory)
    model = low_rank_run.after_training(model, settings)
    assert "conv2: rank 2 of 12" in capsys.readouterr().out
    assert model.get_layer("conv2_vertical").kernel.shape == (3, 1, 4, 2)
    assert training.accuracy(model, images(seed=1), 16) > 0.8
    with directory.csv_path.open() as file:
        row = list(csv.DictReader(file))[-1]
    assert [int(value) for name, value in row.items() if name.startswith("rank/conv2")][0] <= 2
    if "final_sparsity" in changes:
        assert training.sparsity(model) == pytest.approx(0.5, abs=0.03)
    training.save_model(model, directory.model_path)

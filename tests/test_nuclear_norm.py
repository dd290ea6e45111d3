"""The nuclear norm: value, gradient, and that a penalty on it lowers it in any kind of training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import config, images

from robust_keras import training
from robust_keras.runs import low_rank_run, training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.low_rank_training import KernelRanks
from robust_keras.training.nuclear_norm import add_nuclear_norm, nuclear_norm


def value_and_gradient(matrix):
    variable = tf.Variable(matrix)
    with tf.GradientTape() as tape:
        value = nuclear_norm(variable)
    return float(value), tape.gradient(value, variable).numpy()


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5)])
def test_value_and_gradient_are_those_of_the_decomposition(shape):
    matrix = np.random.default_rng(0).normal(size=shape).astype("float32")
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    value, gradient = value_and_gradient(matrix)
    assert value == pytest.approx(values.sum(), rel=1e-4)
    np.testing.assert_allclose(gradient, left @ right, atol=2e-3)


def test_equal_singular_values_and_zeros_have_a_finite_gradient():
    np.testing.assert_allclose(value_and_gradient(np.eye(4, 6, dtype="float32"))[1], np.eye(4, 6))
    value, gradient = value_and_gradient(np.zeros((3, 5), np.float32))
    assert value == 0 and not np.any(gradient)
    rank_one = np.outer([1.0, 2.0, 2.0], [3.0, 4.0]).astype("float32")
    value, gradient = value_and_gradient(rank_one)
    assert value == pytest.approx(15.0, rel=1e-3)
    np.testing.assert_allclose(gradient, rank_one / 15, atol=2e-3)


def network(dtype=None):
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Conv2D(8, 3, activation="relu", name="conv", dtype=dtype),
            keras.layers.Flatten(),
            keras.layers.Dense(16, "relu", name="dense", dtype=dtype),
            keras.layers.Dense(2, name="logits", dtype="float32"),
        ]
    )


RUNS = {
    "plain": {},
    "fast": {"adversarial": "fast", "train_epsilon": 0.05},
    "free": {"adversarial": "free", "train_epsilon": 0.05, "replays": 2},
    "pruned": {"final_sparsity": 0.5, "pruning_begin": 0.0, "pruning_frequency": 4},
    "half": {"precision": "mixed_bfloat16"},
    "low rank": {"low_rank": 2},
}


def trained(path, changes, penalty):
    settings = config(path, nuclear_norm=penalty, epochs=6, augment=False, **changes)
    training.make_reproducible(0)
    model = low_rank_run.before_training(network(changes.get("precision")), settings)
    training_run.fit(model, images(), settings, TrainingDirectory(settings))
    return model


@pytest.mark.parametrize("changes", RUNS.values(), ids=RUNS)
def test_the_penalty_lowers_the_norm_in_every_kind_of_run(tmp_path, changes):
    model = trained(tmp_path / "with", changes, 0.02)
    without = trained(tmp_path / "without", changes, 0.0)
    norms = [KernelRanks().measure(m)["nuclear_norm"] for m in (model, without)]
    assert norms[0] < 0.75 * norms[1]
    assert training.accuracy(model, images(seed=1), 16) > 0.8
    assert "nuclear_norm" in (tmp_path / "with" / "logs" / "training.csv").read_text()
    if "final_sparsity" in changes:
        assert training.sparsity(model) == pytest.approx(0.5, abs=0.02)


def test_the_penalty_adds_to_the_loss_and_is_not_saved(tmp_path):
    model = network()
    model.get_layer("dense").kernel.regularizer = keras.regularizers.L2(0.1)
    kernels = add_nuclear_norm(model, 0.5)
    assert [kernel.layer_name for kernel in kernels] == ["conv", "dense", "logits"]
    matrices = [
        kernel.variable.numpy().reshape(-1, kernel.variable.shape[-1]) for kernel in kernels
    ]
    expected = 0.5 * sum(np.linalg.svd(m, compute_uv=False).sum() for m in matrices)
    expected += 0.1 * np.square(matrices[1]).sum()
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-3)
    training.save_model(model, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.losses == []
    assert loaded.get_layer("conv").kernel_regularizer is None


def test_refusals():
    with pytest.raises(ValueError, match="`coefficient` must be above 0. Received: coefficient=0"):
        add_nuclear_norm(network(), 0)
    flat = keras.Sequential([keras.Input((4,)), keras.layers.ReLU()])
    with pytest.raises(ValueError, match="`model` must have kernels"):
        add_nuclear_norm(flat, 1.0)
    with pytest.raises(ValueError, match=r"`tolerance` must be in \(0, 1\)"):
        KernelRanks(tolerance=1.0)

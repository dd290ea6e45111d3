"""Pruning as flags ask for it: patterns, refusals in one line, and adversarial training with it."""

import keras
import numpy as np
import pytest
from test_fit import config, network, run

from robust_keras import training
from robust_keras.errors import InputError
from robust_keras.runs import pruning_run

GRADUAL = {"final_sparsity": 0.75, "pruning_begin": 0.0, "pruning_frequency": 3}
METHODS = {
    "free": {"adversarial": "free", "replays": 2, "train_epsilon": 0.1},
    "fast": {"adversarial": "fast", "train_epsilon": 0.1},
}
PATTERNS = {
    "single": GRADUAL,
    "blocks": {**GRADUAL, "pruning_layers": ("dense",), "pruning_block": (2, 1)},
    "2:4": {"pruning_m_by_n": (2, 4), "pruning_skip": ("conv",)},
}


def wide():
    """A dense kernel with more than one block in a row, and a convolution with few channels."""
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(8, name="hidden"),
            keras.layers.Dense(4, name="logits"),
        ]
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_each_pattern_is_exact_with_adversarial_training(tmp_path, monkeypatch, method, pattern):
    monkeypatch.setattr("test_fit.network", wide)
    changes = {"epochs": 2, **METHODS[method], **PATTERNS[pattern]}
    model = run(config(tmp_path / "run", **changes))
    kernel = np.asarray(model.get_layer("hidden").kernel)
    if pattern == "2:4":
        groups = (kernel.T != 0).reshape(8, -1, 4).sum(axis=-1)
        assert set(groups.ravel()) == {2}
        assert np.all(np.asarray(model.get_layer("conv").kernel) != 0)
    else:
        zeros = np.mean(kernel == 0)
        assert zeros == 0.75
    if pattern == "blocks":
        blocks = (kernel != 0).reshape(kernel.shape[0] // 2, 2, 8)
        assert np.all(blocks[:, 0] == blocks[:, 1])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"pruning_m_by_n": (2, 4)},
            r"--pruning_m_by_n: expected layers large enough for 2:4 \(--pruning_skip=conv2d.* "
            r"leaves the others dense\); received conv2d.* \(3, 3, 1, 4\)",
        ),
        (
            {**GRADUAL, "pruning_layers": ("dense",), "pruning_block": (2, 2)},
            r"--pruning_block: expected layers large enough for 2x2 \(--pruning_skip=dense",
        ),
        ({**GRADUAL, "pruning_skip": ("stem",)}, "--pruning_skip: expected names of layers such"),
    ],
    ids=["2:4", "blocks", "names"],
)
def test_layers_that_do_not_fit_are_named(tmp_path, changes, text):
    settings = config(tmp_path, **changes)
    with pytest.raises(InputError, match=text):
        pruning_run.prepare(pruning_run.pruning_callback(settings, 10), network())
    assert training.sparsity(network()) == 0

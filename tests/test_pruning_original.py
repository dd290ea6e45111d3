"""tensorflow_model_optimization's own pruning of a tf_keras twin, step by step against ours."""

import keras
import numpy as np
import pytest
import tf_keras
from tensorflow_model_optimization.sparsity import keras as original

from robust_keras.training import pruning

EPOCHS, STEPS, BATCH = 3, 8, 4
IMAGES = np.random.default_rng(0).normal(size=(STEPS * BATCH, 8, 8, 4)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 4, STEPS * BATCH)

# name -> (schedule, which layers of (conv, dense, logits) are pruned, pattern)
CASES = {
    # Step 17 begins an epoch, and there half of the 64 logit weights times 27/64 is 13.5.
    "polynomial": (
        pruning.polynomial_decay(0.1, 0.8, 2, 22, frequency=5),
        (1, 1, 1),
        {},
    ),
    "every step": (pruning.polynomial_decay(0.0, 0.9, 0, 20, frequency=1), (1, 1, 1), {}),
    "constant": (pruning.constant_sparsity(0.5, 1, frequency=8), (1, 1, 1), {}),
    "constant, with an end": (pruning.constant_sparsity(0.7, 4, 12, frequency=2), (1, 1, 0), {}),
    "blocks": (
        pruning.polynomial_decay(0.0, 0.7, 1, 16, frequency=3),
        (0, 1, 0),
        {"block_size": (4, 3), "block_pooling": "AVG"},
    ),
    "blocks by maximum": (
        pruning.constant_sparsity(0.6, 2, frequency=4),
        (0, 1, 1),
        {"block_size": (1, 2), "block_pooling": "MAX"},
    ),
    "2 by 4": (pruning.constant_sparsity(0.5, 0), (1, 1, 1), {"sparsity_m_by_n": (2, 4)}),
}
NAMES = ("conv", "dense", "logits")


def ours():
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 4)),
            keras.layers.Conv2D(6, 3, activation="relu", name="conv"),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="tanh", name="dense"),
            keras.layers.Dense(4, name="logits"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(0.05, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return model


def twin(schedule, pruned, pattern):
    pattern = {"block_pooling_type" if k == "block_pooling" else k: v for k, v in pattern.items()}

    def layer(index, layer):
        if not pruned[index]:
            return layer
        return original.prune_low_magnitude(layer, pruning_schedule=schedule, **pattern)

    model = tf_keras.Sequential(
        [
            tf_keras.Input((8, 8, 4)),
            layer(0, tf_keras.layers.Conv2D(6, 3, activation="relu")),
            tf_keras.layers.Flatten(),
            layer(1, tf_keras.layers.Dense(16, activation="tanh")),
            layer(2, tf_keras.layers.Dense(4)),
        ]
    )
    model.compile(
        tf_keras.optimizers.SGD(0.05, momentum=0.9),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def recorded(masks):
    """What a callback's `on_train_batch_end` calls to keep the masks of every step."""
    history = []
    return history, lambda batch, logs: history.append([m.numpy().astype(bool) for m in masks()])


@pytest.mark.parametrize("name", CASES)
def test_same_masks_at_every_step_and_same_weights(name):
    schedule, pruned, pattern = CASES[name]
    model, other = ours(), twin(schedule, pruned, pattern)
    wrapped = [layer for layer in other.layers if hasattr(layer, "pruning_vars")]
    for mine, theirs in zip(
        [model.get_layer(name) for name in NAMES], other.layers[:1] + other.layers[2:], strict=True
    ):
        inner = getattr(theirs, "layer", theirs)
        inner.kernel.assign(mine.kernel.numpy())
        inner.bias.assign(mine.bias.numpy())

    theirs, keep = recorded(lambda: [layer.pruning_vars[0][1] for layer in wrapped])
    other.fit(
        IMAGES,
        LABELS,
        BATCH,
        EPOCHS,
        verbose=0,
        shuffle=False,
        callbacks=[
            original.UpdatePruningStep(),
            tf_keras.callbacks.LambdaCallback(on_batch_end=keep),
        ],
    )
    callback = pruning.PruneLowMagnitude(
        schedule,
        skip_layers=[name for name, chosen in zip(NAMES, pruned, strict=True) if not chosen],
        **pattern,
    )
    mine, keep = recorded(lambda: callback.variables[1:])
    record = keras.callbacks.LambdaCallback(on_train_batch_end=keep)
    model.fit(IMAGES, LABELS, BATCH, EPOCHS, verbose=0, shuffle=False, callbacks=[callback, record])

    assert len(mine) == len(theirs) == EPOCHS * STEPS
    for step, (masks, expected) in enumerate(zip(mine, theirs, strict=True), start=1):
        for mask, other_mask in zip(masks, expected, strict=True):
            np.testing.assert_array_equal(mask, other_mask, err_msg=f"step {step}")
    assert any(not mask.all() for mask in mine[-1])
    stripped = original.strip_pruning(other).get_weights()
    for weight, expected in zip(model.get_weights(), stripped, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-6)


def test_the_original_misses_an_end_step_that_ours_reaches():
    # 10 is no multiple of 4 steps after 1: the original's last update comes at step 9.
    schedule = pruning.polynomial_decay(0.0, 0.9, 1, 10, frequency=4, power=1)
    model = ours()
    model.fit(IMAGES, LABELS, BATCH, 2, verbose=0, callbacks=[pruning.PruneLowMagnitude(schedule)])
    asked = [step for step in range(1, 17) if bool(schedule(step)[0])]
    assert asked == [1, 5, 9]
    assert float(schedule(9)[1]) == pytest.approx(0.8)
    assert pruning.sparsity(model) == pytest.approx(0.9, abs=1e-3)

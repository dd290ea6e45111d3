"""Pruning while `model.fit` runs: exact zeros, exact sparsity, resuming, bad use."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from robust_keras.layers import KernelActivation
from robust_keras.training import pruning

BATCH, STEPS = 4, 8
IMAGES = np.random.default_rng(0).normal(size=(BATCH * STEPS, 6, 6, 4)).astype("float32")
LABELS = np.random.default_rng(1).integers(0, 3, BATCH * STEPS)


def network(optimizer="adam", seed=0, between=(), dtype=None, **compiled):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.layers.Input((6, 6, 4)),
            keras.layers.Conv2D(5, 3, name="conv", dtype=dtype),
            *between,
            keras.layers.Flatten(),
            keras.layers.Dense(7, activation="tanh", name="dense"),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=False, **compiled)
    return model


def fit(model, callback, epochs=3, callbacks=(), **arguments):
    arguments = {"batch_size": BATCH, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(IMAGES, LABELS, epochs=epochs, callbacks=[callback, *callbacks], **arguments)


def kernels(model):
    return [model.get_layer(name).kernel.numpy() for name in ("conv", "dense", "logits")]


def zeros(size, sparsity):
    """How many of `size` weights are pruned; exact halves round to even."""
    kept = np.round(np.float32(size) * (1 - np.float32(sparsity)))
    return size - max(int(kept), 1)


# (schedule, sparsity reached within 24 steps)
SCHEDULES = {
    "frequency that divides": (pruning.polynomial_decay(0.0, 0.8, 0, 20, frequency=5), 0.8),
    "frequency beyond the end": (pruning.polynomial_decay(0.0, 0.9, 2, 13, frequency=100), 0.9),
    "frequency that does not, up to the last step": (
        pruning.polynomial_decay(0.0, 0.6, 2, 24, frequency=5),
        0.6,
    ),
    "nearly everything": (pruning.polynomial_decay(0.0, 0.999, 0, 9, frequency=3), 0.999),
    "once": (pruning.constant_sparsity(0.5, 0, end_step=0), 0.5),
    "a function": (lambda step: (step % 4 == 0, min(step / 20, 0.75)), 0.75),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_kernel_reaches_its_exact_sparsity(name):
    schedule, sparsity = SCHEDULES[name]
    model = network()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(model, pruning.PruneLowMagnitude(schedule))
    found = [int((kernel == 0).sum()) for kernel in kernels(model)]
    assert found == [zeros(kernel.size, sparsity) for kernel in kernels(model)]


def test_nothing_but_kernels_is_pruned():
    model = network(between=[keras.layers.BatchNormalization(), KernelActivation()])
    callback = pruning.PruneLowMagnitude(pruning.constant_sparsity(0.9, 1), layer_kinds=("conv",))
    fit(model, callback, epochs=1)
    assert pruning.sparsity(model, ("conv",)) == pytest.approx(0.9)
    others = {v.path.partition("/")[2]: v.numpy() for v in model.trainable_variables}
    del others["conv/kernel"], others["conv/bias"]  # normalised away, the bias stays zero
    assert {path.rpartition("/")[2] for path in others} == {
        "kernel",
        "bias",
        "gamma",
        "beta",
        "mixing_coefficients",
    }
    assert all(values.all() for values in others.values())


def test_zeros_stay_zero_under_momentum_and_in_the_saved_file(tmp_path):
    model = network(keras.optimizers.SGD(0.1, momentum=0.9))
    callback = pruning.PruneLowMagnitude(pruning.constant_sparsity(0.7, 4, end_step=4))
    seen = []

    def look(batch, logs):
        masks = [mask.numpy() for mask in callback.variables[1:]]
        seen.append(
            [
                (mask.mean(), np.abs(k[~mask]).sum())
                for k, mask in zip(kernels(model), masks, strict=True)
            ]
        )

    fit(model, callback, callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=look)])
    assert [all(share < 0.5 for share, _ in step) for step in seen] == [False] * 3 + [True] * 21
    assert all(rest == 0.0 for step in seen for _, rest in step)
    # Momentum still pushes the masked weights, so the masks are what keeps them at zero.
    momenta = [v.numpy() for v in model.optimizer.variables if "conv_kernel" in v.path]
    assert np.abs(momenta[0][kernels(model)[0] == 0]).min() > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for kernel, expected in zip(kernels(loaded), kernels(model), strict=True):
        np.testing.assert_array_equal(kernel, expected)
    np.testing.assert_array_equal(
        loaded.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0)
    )


def test_sparsity_rises_and_no_mask_changes_after_the_end():
    model = network()
    callback = pruning.PruneLowMagnitude(pruning.polynomial_decay(0.1, 0.8, 2, 14, frequency=3))
    history = []
    keep = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: history.append(
            np.concatenate([mask.numpy().ravel() for mask in callback.variables[1:]])
        )
    )
    fit(model, callback, callbacks=[keep])
    shares = [1 - masks.mean() for masks in history]
    assert shares == sorted(shares) and shares[0] == 0 and len(set(shares)) == 6
    assert all((masks == history[13]).all() for masks in history[14:])


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path):
    # Step 9 begins an epoch and updates the masks: the case that resuming gets wrong first.
    schedule = pruning.polynomial_decay(0.0, 0.8, 1, 13, frequency=4)
    whole, first, second = network(), network(), network(seed=5)
    fit(whole, pruning.PruneLowMagnitude(schedule), epochs=2)

    callback = pruning.PruneLowMagnitude(schedule, on_incomplete="ignore")
    fit(first, callback, epochs=1)
    state = dict(model=first, optimizer=first.optimizer, pruning=callback.variables)
    path = tf.train.Checkpoint(**state).write(tmp_path / "state")

    callback = pruning.PruneLowMagnitude(schedule)
    callback.set_model(second)
    second.optimizer.build(second.trainable_variables)
    state = dict(model=second, optimizer=second.optimizer, pruning=callback.variables)
    tf.train.Checkpoint(**state).read(path).assert_consumed()
    fit(second, callback, epochs=2, initial_epoch=1)
    for weight, expected in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_masks_begin_as_the_zeros_of_a_model_that_is_continued():
    model = network()
    schedule = pruning.polynomial_decay(0.0, 0.8, 0, 20, frequency=5)
    fit(model, pruning.PruneLowMagnitude(schedule))
    before = [kernel == 0 for kernel in kernels(model)]
    fit(model, pruning.PruneLowMagnitude(schedule, initial_step=24), epochs=1)
    for kernel, zero in zip(kernels(model), before, strict=True):
        np.testing.assert_array_equal(kernel == 0, zero)


def test_averaged_weights_are_masked_too():
    optimizer = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9)
    model = network(optimizer)
    fit(model, pruning.PruneLowMagnitude(pruning.constant_sparsity(0.5, 20, frequency=1)))
    assert pruning.sparsity(model) == pytest.approx(0.5, abs=0.01)


PATTERNS = {"2 by 4": dict(sparsity_m_by_n=(2, 4)), "1 by 3": dict(sparsity_m_by_n=(1, 3))}


@pytest.mark.parametrize("name", PATTERNS)
def test_m_by_n_leaves_at_most_n_less_m_weights_in_every_n_channels(name):
    pattern = PATTERNS[name]
    zeros, group = pattern["sparsity_m_by_n"]
    model = network()
    fit(model, pruning.PruneLowMagnitude(None, **pattern), epochs=1)
    for kernel in kernels(model):
        columns = np.moveaxis(kernel, -2, -1).reshape(-1, kernel.shape[-2])
        for start in range(0, columns.shape[1] - group + 1, group):
            counts = np.count_nonzero(columns[:, start : start + group], axis=1)
            assert (counts == group - zeros).all()


def test_blocks_are_pruned_together():
    model = network()
    schedule = pruning.constant_sparsity(0.5, 1)
    fit(
        model,
        pruning.PruneLowMagnitude(
            schedule, layer_kinds=("dense",), block_size=(5, 1), skip_last=True
        ),
        epochs=1,
    )
    conv, dense, logits = kernels(model)
    blocks = (dense == 0).reshape(-1, 5, 7)  # (16 rows of blocks, 5, 7)
    assert (blocks.all(axis=1) == blocks.any(axis=1)).all()
    assert blocks.mean() == 0.5
    assert conv.all() and logits.all()


INCOMPLETE = {
    "before the end": (pruning.polynomial_decay(0.0, 0.8, 0, 30, frequency=5), "end_step=30"),
    "before any update": (pruning.constant_sparsity(0.5, 0, frequency=100), "asked for any"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_pruning_that_training_did_not_finish_is_reported(name):
    schedule, message = INCOMPLETE[name]
    model = network()
    with pytest.warns(UserWarning, match=f"ended at step 8 with a sparsity of 0.*{message}"):
        fit(model, pruning.PruneLowMagnitude(schedule), epochs=1)
    with pytest.raises(RuntimeError, match=message):
        fit(model, pruning.PruneLowMagnitude(schedule, on_incomplete="raise"), epochs=1)


BAD_ARGUMENTS = {
    "schedule": (dict(schedule=0.5), "`schedule` must be a callable.*Received: schedule=0.5"),
    "initial_step": (dict(initial_step=-1), "at least 0. Received: initial_step=-1"),
    "on_incomplete": (dict(on_incomplete="stop"), "Received: on_incomplete='stop'"),
    "block_size": (dict(block_size=(2,)), r"two whole numbers.*Received: block_size=\(2,\)"),
}


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
def test_bad_arguments_are_refused(name):
    arguments, message = BAD_ARGUMENTS[name]
    with pytest.raises(ValueError, match=message):
        pruning.PruneLowMagnitude(**{"schedule": pruning.constant_sparsity(0.5, 0), **arguments})


BAD_SCHEDULES = {
    "final_sparsity": (lambda: pruning.polynomial_decay(0, 1.0, 0, 9), "final_sparsity=1.0"),
    "initial_sparsity": (
        lambda: pruning.polynomial_decay(-0.1, 0.5, 0, 9),
        "initial_sparsity=-0.1",
    ),
    "begin_step": (lambda: pruning.polynomial_decay(0, 0.5, -1, 9), "begin_step=-1"),
    "end_step": (lambda: pruning.polynomial_decay(0, 0.5, 9, 9), "above begin_step=9.*end_step=9"),
    "frequency": (lambda: pruning.constant_sparsity(0.5, 0, frequency=0), "frequency=0"),
    "power": (lambda: pruning.polynomial_decay(0, 0.5, 0, 9, power=0), "power=0"),
    "constant end_step": (lambda: pruning.constant_sparsity(0.5, 5, end_step=4), "end_step=4"),
    "target_sparsity": (lambda: pruning.constant_sparsity(80, 5), "target_sparsity=80"),
}


@pytest.mark.parametrize("name", BAD_SCHEDULES)
def test_bad_schedules_are_refused(name):
    build, message = BAD_SCHEDULES[name]
    with pytest.raises(ValueError, match=f"Received: .*{message}|{message}"):
        build()


def test_schedule_values_of_the_paper():
    schedule = pruning.polynomial_decay(0.0, 0.9, begin_step=100, end_step=300, frequency=50)
    values = [float(schedule(step)[1]) for step in (50, 100, 200, 300, 400)]
    assert values == pytest.approx([0.0, 0.0, 0.7875, 0.9, 0.9])
    assert [step for step in range(500) if bool(schedule(step)[0])] == [100, 150, 200, 250, 300]


BAD_USES = {
    "several steps at once": (
        lambda: network(steps_per_execution=2),
        {},
        "`steps_per_execution` must be 1. Received: steps_per_execution=2",
    ),
    "nothing to prune": (
        network,
        dict(layer_kinds=("depthwise",)),
        "at least one kernel of the layer kinds.*depthwise.*Received: a model of.*'Conv2D'",
    ),
    "all skipped": (network, dict(skip_layers=("conv", "dense", "logits")), "at least one kernel"),
    "blocks of a convolution": (network, dict(block_size=(2, 2)), "Layer 'conv'.*rank 2"),
    "5 channels 4 by 8": (network, dict(sparsity_m_by_n=(4, 8)), "Layer 'conv'.*4 by 8"),
    "a sparsity of 80": (network, dict(schedule=lambda step: (True, 80)), "Received: 80.0 at step"),
}


@pytest.mark.parametrize("name", BAD_USES)
def test_bad_uses_are_refused_before_any_step(name):
    build, arguments, message = BAD_USES[name]
    model = build()
    before = kernels(model)
    schedule = {"schedule": pruning.constant_sparsity(0.5, 0)}
    with pytest.raises(ValueError, match=message):
        fit(model, pruning.PruneLowMagnitude(**{**schedule, **arguments}))
    for kernel, expected in zip(kernels(model), before, strict=True):
        np.testing.assert_array_equal(kernel, expected)


def test_kernels_of_half_precision_are_pruned():
    model = network(dtype="bfloat16")
    fit(model, pruning.PruneLowMagnitude(None, sparsity_m_by_n=(2, 4)), epochs=1)
    assert kernels(model)[0].dtype.name == "bfloat16"
    assert np.mean(kernels(model)[0] == 0) == 0.5

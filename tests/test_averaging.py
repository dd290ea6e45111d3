"""Weights are averaged as Keras does, and the average is what is judged and exported."""

import keras
import numpy as np
import pytest
from test_fit import config, images, network, run

from robust_keras import training
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.averaging import ValidateAverage, averaged_weights

SPLIT = images(48)


def compiled(momentum=0.9):
    keras.utils.set_random_seed(0)
    model = network()
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=momentum)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    return model


def test_the_average_is_there_in_the_block_only():
    model = compiled()
    bias = model.layers[-1].bias
    values = []
    for _ in range(3):
        model.train_on_batch(SPLIT.images, SPLIT.labels)
        values.append(bias.numpy())
    # Keras starts the average as the first value.
    expected = 0.9 * (0.9 * values[0] + 0.1 * values[1]) + 0.1 * values[2]
    with averaged_weights(model):
        np.testing.assert_allclose(bias.numpy(), expected, rtol=1e-5)
        assert not np.allclose(bias.numpy(), values[2])
    np.testing.assert_array_equal(bias.numpy(), values[2])


def test_validation_judges_the_average():
    model = compiled(momentum=1.0)  # the average stays what it is after the first step
    bias = model.layers[-1].bias
    trained, judged = [], []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: trained.append(bias.numpy())
    )
    look.on_test_begin = lambda logs=None: judged.append(bias.numpy())
    data = (SPLIT.images, SPLIT.labels)
    settings = {"batch_size": 24, "epochs": 2, "verbose": 0, "validation_data": data}
    model.fit(*data, callbacks=[ValidateAverage(), look], **settings)
    np.testing.assert_array_equal(judged, [trained[0], trained[0]])
    assert not np.allclose(trained[0], trained[1])
    # The second epoch went on from the weights, not from their average.
    assert not np.allclose(trained[2], trained[0])


def test_a_run_ends_with_the_average_resumes_to_it_and_stays_pruned(tmp_path, monkeypatch):
    changes = {"ema_momentum": 0.9, "final_sparsity": 0.5, "pruning_begin": 0.0}
    changes |= {"pruning_frequency": 2, "epochs": 4}
    plain = run(config(tmp_path / "plain", **{**changes, "ema_momentum": 0.0}))
    whole = run(config(tmp_path / "whole", **changes))
    assert not np.allclose(plain.get_weights()[0], whole.get_weights()[0])
    parts = config(tmp_path / "parts", **changes)
    with pytest.raises(KeyboardInterrupt):
        run(parts, interrupt_at=9, monkeypatch=monkeypatch)
    resumed = run(parts)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert training.sparsity(whole) == training.sparsity(plain) >= 0.49
    best = keras.models.load_model(TrainingDirectory(parts).best_path)
    assert training.sparsity(best) >= 0.49

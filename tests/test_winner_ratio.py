"""kWTA's ratio falls as it should, resumes where it was, and is what is exported."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from test_fit import config, images, network, run

from robust_keras import serving
from robust_keras.layers import KWinnersTakeAll
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.winner_ratio import FallingRatio

SPLIT = images(48)


def winners():
    return keras.Sequential(
        [
            keras.Input((6, 6, 1), name="images"),
            keras.layers.Conv2D(4, 3),
            KWinnersTakeAll(ratio=0.9, name="kwta"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )


def passing(model):
    """How many entries pass the layer, for one image after the other."""
    inside = keras.Model(model.inputs, model.get_layer("kwta").output)
    return np.count_nonzero(inside(SPLIT.images), axis=(1, 2, 3))


def test_the_ratio_falls_in_a_line_while_a_plain_fit_goes_on():
    model = winners()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(model.get_layer("kwta").ratio)
    )
    falling = FallingRatio(0.5, 0.25, begin_step=2, end_step=6)
    fit = {"batch_size": 12, "epochs": 2, "verbose": 0, "callbacks": [falling, look]}
    model.fit(SPLIT.images, SPLIT.labels, **fit)
    assert seen == pytest.approx([0.5, 0.5, 0.5, 0.4375, 0.375, 0.3125, 0.25, 0.25])
    assert set(passing(model)) == {int(0.25 * 64)}


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.0, 0.1, 0, 5), "initial"),
        ((0.2, 0.3, 0, 5), "final"),
        ((0.2, 0.1, -1, 5), "begin_step"),
        ((0.2, 0.1, 5, 5), "end_step"),
    ],
)
def test_senseless_arguments_are_refused(arguments, name):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        FallingRatio(*arguments)


def test_a_model_without_winners_is_refused():
    callback = FallingRatio(0.2, 0.1, 0, 5)
    callback.set_model(network())
    with pytest.raises(ValueError, match="must hold a KWinnersTakeAll layer"):
        callback.on_train_begin()


def test_a_resumed_run_has_the_ratios_of_a_whole_one_and_exports_the_last(tmp_path, monkeypatch):
    monkeypatch.setattr("test_fit.network", winners)
    changes = {"activation": "kwta", "kwta_ratio": 0.5, "kwta_final_ratio": 0.25}
    changes |= {"kwta_end": 1.0, "epochs": 2}
    whole = run(config(tmp_path / "whole", **changes))
    parts = config(tmp_path / "parts", **changes)
    monkeypatch.setattr("test_fit.network", winners)
    with pytest.raises(KeyboardInterrupt):
        run(parts, interrupt_at=9, monkeypatch=pytest.MonkeyPatch())
    resumed = run(parts)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.get_layer("kwta").ratio == 0.25
    # Only an epoch of the final ratio may be the best.
    best = keras.models.load_model(TrainingDirectory(parts).best_path)
    assert best.get_layer("kwta").ratio == 0.25
    path = serving.export(resumed, tmp_path / "serving")
    served = tf.saved_model.load(str(path)).signatures["logits"]
    logits = served(images=tf.constant(SPLIT.images))["logits"]
    np.testing.assert_allclose(logits, resumed(SPLIT.images, training=False), atol=1e-5)

"""The learning-rate range test: rates that rise, figures on disk, a suggestion that makes sense."""

import csv

import keras
import numpy as np
import pytest
from test_fit import config, images, network

from robust_keras.errors import InputError
from robust_keras.runs import range_test_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training.learning_rate_range import LearningRateRangeTest


def test_the_rates_rise_by_a_factor_and_training_stops_where_the_loss_explodes():
    # L = w^2 / 2 from w = 1: a step multiplies w by 1 - rate, so rates above 2 explode.
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    model.compile("sgd", loss=lambda y, z: keras.ops.mean((z - y) ** 2) / 2)
    x, y = np.ones((640, 1), "float32"), np.zeros((640, 1), "float32")
    test = LearningRateRangeTest(lowest=1e-3, highest=100.0, steps=64)
    model.fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=[test])
    ratios = np.array(test.rates[1:]) / np.array(test.rates[:-1])
    np.testing.assert_allclose(ratios, 1e5 ** (1 / 63), rtol=1e-6)
    assert test.rates[0] == 1e-3
    assert 2 < test.rates[-1] < 50  # stopped soon after the explosion
    assert 0.05 < test.suggestion < 2
    # Each step's own loss, not the mean of the epoch.
    assert test.losses[1] == pytest.approx((1 - test.rates[0]) ** 2 / 2, rel=1e-5)


@pytest.mark.parametrize(
    "settings", [{"lowest": 0.0}, {"lowest": 1.0, "highest": 0.5}, {"steps": 9}], ids=str
)
def test_senseless_arguments_are_refused(settings):
    with pytest.raises(ValueError, match="must be"):
        LearningRateRangeTest(**settings)


def test_the_run_writes_and_prints_and_the_directory_can_be_trained_in(tmp_path, capsys):
    settings = config(
        tmp_path, learning_rate_range_test=True, batch_size=4, adversarial="fast", train_epsilon=0.1
    )
    directory = TrainingDirectory(settings)
    range_test_run.suggest_learning_rate(network(), images(), settings, directory)
    assert "suggested --learning_rate=" in capsys.readouterr().out
    with (tmp_path / "learning_rate_range.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert 10 <= len(rows) <= 15
    assert (tmp_path / "learning_rate_range.png").stat().st_size > 1000
    TrainingDirectory(config(tmp_path))
    with pytest.raises(InputError, match="--batch_size: expected at most 6, for 10 steps"):
        range_test_run.suggest_learning_rate(network(), images(), config(tmp_path), directory)

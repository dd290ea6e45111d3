"""Settings of adversarial training and schedules of the learning rate: numbers and errors."""

import math

import keras
import numpy as np
import pytest

from robust_keras import training
from robust_keras.data.mean_training import NonsenseSettings
from robust_keras.runs.compiling import compile_model
from robust_keras.settings.config import TrainConfig
from robust_keras.training import pruning
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard
from robust_keras.training.distillation import soft_labels
from robust_keras.training.hybrid_loss import HybridLoss
from robust_keras.training.learning_rate_range import LearningRateRangeTest
from robust_keras.training.losses import TemperatureCrossEntropy
from robust_keras.training.nuclear_norm import add_nuclear_norm
from robust_keras.training.schedules import SCHEDULES, OneCycle
from robust_keras.training.winner_ratio import FallingRatio

# Settings -> (steps, step, replays, beta) as published.
PUBLISHED = [
    ("fast", 8 / 255, (1, 10 / 255, None, None)),
    ("fast", 0.3, (1, 0.375, None, None)),
    ("n_fgsm", 0.3, (1, 0.3, None, None)),
    ("half_fgsm", 0.3, (1, 0.3, None, None)),
    ("pgd", 0.3, (40, 0.01, None, None)),
    ("pgd", 8 / 255, (10, 2 / 255, None, None)),
    ("free", 8 / 255, (1, 8 / 255, 8, None)),
    ("trades", 0.031, (10, 0.007, None, 6.0)),
    ("trades", 0.3, (40, 0.01, None, 6.0)),
    ("ensemble", 0.3, (1, 0.3, None, None)),
]


@pytest.mark.parametrize("method, epsilon, expected", PUBLISHED)
def test_defaults_are_the_published_ones(method, epsilon, expected):
    settings = AdversarialSettings(method=method, epsilon=epsilon)
    found = (settings.steps, settings.step, settings.replays, settings.beta)
    assert found == pytest.approx(expected)


def test_fewer_steps_reach_as_far_as_the_published_ones():
    assert AdversarialSettings(method="pgd", epsilon=0.3, steps=10).step == pytest.approx(0.04)
    given = AdversarialSettings(method="trades", epsilon=0.3, steps=10, step_ratio=0.5)
    assert given.step == pytest.approx(0.15)


REFUSED = [
    (
        {"method": "fgsm"},
        "`method` must be one of pgd, free, fast, n_fgsm, half_fgsm, trades, "
        "ensemble, ibp, gaussian. Received: method='fgsm'",
    ),
    ({"epsilon": 8}, r"`epsilon` must be in \(0, 1\]. Received: epsilon=8"),
    ({"epsilon": 0}, "`epsilon`"),
    ({"steps": 0}, "`steps` must be a whole number of at least 1. Received: steps=0"),
    ({"steps": 2.0}, "`steps`"),
    ({"step_ratio": 0.0}, "`step_ratio` must be a number above 0"),
    ({"method": "fast", "steps": 7}, "`steps` must be 1 or None where method='fast'"),
    ({"method": "n_fgsm", "steps": 7}, "`steps` must be 1 or None where method='n_fgsm'"),
    ({"method": "half_fgsm", "random_start": True}, "`random_start` must be None or False"),
    ({"replays": 4}, "`replays` must be None where method='pgd'. Received: replays=4"),
    ({"method": "free", "replays": 1}, "`replays` must be a whole number of at least 2"),
    ({"beta": 6.0}, "`beta` must be None where method='pgd'"),
    ({"method": "trades", "beta": 0.0}, "`beta` must be a number above 0"),
    ({"ensemble_attack": "fgsm"}, "`ensemble_attack` must be None where method='pgd'"),
    ({"method": "ensemble", "ensemble_attack": "pgd"}, "must be one of step_ll, fgsm"),
    ({"method": "ensemble", "random_start": True}, "`random_start` must be None or False"),
    ({"warm_up_epochs": -1}, "`warm_up_epochs` must be a whole number of at least 0"),
    ({"epsilon_ramp_epochs": 0.5}, "`epsilon_ramp_epochs`"),
    ({"epsilon": math.nan}, r"`epsilon` must be in \(0, 1\]. Received: epsilon=nan"),
    ({"epsilon": "0.1"}, r"`epsilon` must be in \(0, 1\]. Received: epsilon='0.1'"),
    (
        {"steps": 10**9},
        "`steps` must be a whole number of at most 10000. Received: steps=1000000000",
    ),
    ({"steps": math.inf}, "`steps` must be a whole number of at least 1. Received: steps=inf"),
    ({"method": "free", "replays": 10**30}, "`replays` must be a whole number of at most 1000"),
    ({"step_ratio": math.nan}, "`step_ratio` must be a number above 0. Received: step_ratio=nan"),
    ({"step_ratio": 1e300}, "`step_ratio` must be a number of at most 1e"),
    ({"method": "trades", "beta": math.inf}, "`beta` must be a number above 0. Received: beta=inf"),
    ({"warm_up_epochs": 1e19}, "`warm_up_epochs` must be a whole number"),
    ({"clean_accuracy": "yes"}, "`clean_accuracy` must be True or False"),
]

SENSELESS = {
    "a temperature of 0": lambda: TemperatureCrossEntropy(1e-300),
    "no temperature": lambda: soft_labels(None, np.zeros((1, 2, 2, 1)), temperature=math.nan),
    "smoothing": lambda: TemperatureCrossEntropy(1.0, math.nan),
    "hybrid": lambda: HybridLoss(relative=math.inf),
    "a sparsity": lambda: pruning.constant_sparsity(math.nan, 0),
    "a step": lambda: pruning.constant_sparsity(0.5, math.inf),
    "an end": lambda: pruning.polynomial_decay(0.0, 0.5, 0, 1e300),
    "a power": lambda: pruning.polynomial_decay(0.0, 0.5, 0, 9, power=math.inf),
    "a first step": lambda: pruning.PruneLowMagnitude(lambda t: (True, 0.5), initial_step=1.5),
    "one name": lambda: pruning.PruneLowMagnitude(lambda t: (True, 0.5), skip_layers="logits"),
    "a coefficient": lambda: add_nuclear_norm(None, math.inf),
    "a rate": lambda: OneCycle(math.inf, 10),
    "a ratio": lambda: FallingRatio(math.nan, 0.1, 0, 1),
    "a range": lambda: LearningRateRangeTest(highest=math.inf),
    "a share": lambda: NonsenseSettings(math.inf, 1.0, 1.0),
}


@pytest.mark.parametrize("name", SENSELESS)
def test_numbers_that_are_none_are_refused_in_one_line(name):
    with pytest.raises(ValueError, match=r"^`\w+` must be [^\n]+\. Received: [^\n]+$"):
        SENSELESS[name]()


@pytest.mark.parametrize("changes, message", REFUSED, ids=[str(changes) for changes, _ in REFUSED])
def test_senseless_settings_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        AdversarialSettings(**{"method": "pgd", "epsilon": 0.1, **changes})


def test_what_cannot_be_trained_is_refused():
    built = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    fast = AdversarialSettings(method="fast", epsilon=0.1)
    with pytest.raises(ValueError, match="`classifier` must be built"):
        AdversarialTraining(keras.Sequential([keras.layers.Dense(2)]), fast)
    with pytest.raises(ValueError, match="`batch_size` must be the largest batch"):
        AdversarialTraining(built, AdversarialSettings(method="free", epsilon=0.1))
    with pytest.raises(ValueError, match="`loss` must be exactly one loss"):
        AdversarialTraining(built, fast).compile("adam", loss=["mse", "mse"])
    for changes in ({"epsilon": 0}, {"steps": 0}, {"step_ratio": 0.0}, {"drop": 1.0}):
        with pytest.raises(ValueError, match=f"`{next(iter(changes))}` must be"):
            CatastrophicOverfittingGuard([[0.0]], [0], **{"epsilon": 0.1, **changes})


def rates(schedule, steps=100):
    return [float(schedule(step)) for step in range(steps + 1)]


def test_schedules():
    one_cycle = rates(OneCycle(0.2, steps=100))
    np.testing.assert_allclose(np.array(one_cycle)[[0, 20, 40, 70, 100]], [0, 0.1, 0.2, 0.1, 0])
    assert np.argmax(one_cycle) == 40
    step = np.array(rates(SCHEDULES["step"](0.1, 100)))
    np.testing.assert_allclose(step[[0, 50, 51, 75, 76, 100]], [0.1, 0.1, 0.01, 0.01, 1e-3, 1e-3])
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(OneCycle(0.2, 100, peak_at=0.5))
    )
    assert again.get_config() == {"peak": 0.2, "steps": 100, "peak_at": 0.5}
    with pytest.raises(ValueError, match=r"`peak_at` must be in \(0, 1\). Received: peak_at=1"):
        OneCycle(0.2, 100, peak_at=1)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_weight_decay_and_clipping_reach_the_optimizer(optimizer):
    training.make_reproducible(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, use_bias=False)])
    settings = TrainConfig(
        optimizer=optimizer,
        learning_rate=0.1,
        learning_rate_schedule="constant",
        weight_decay=0.5,
        clip_norm=1e-12,
    )
    before = model.get_weights()[0]
    compile_model(model, settings, 10)
    model.train_on_batch(np.ones((4, 3)), np.array([0, 1, 1, 1]))
    # Adam's step hardly depends on the gradient's size, but for its epsilon of 1e-7.
    np.testing.assert_allclose(model.get_weights()[0], before * (1 - 0.1 * 0.5), atol=1e-5)

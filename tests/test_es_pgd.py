"""Evolution-strategies PGD: its schedule, and models whose gradients lead nowhere."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from linear_model import DUAL, GREYS, Linear, answers, linear

from robust_keras import data, engine, layers, serving
from robust_keras.attacks import PGD, EvolutionPGD, MarginPGD, ThreatModel

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = {"linf": 0.02, "l2": 0.06}


def evaluate(model, attacks, norm="linf", batch_size=60, seed=0):
    threat_model = ThreatModel(norm, (EPSILONS[norm],))
    settings = {"batch_size": batch_size, "seed": seed}
    return engine.evaluate(model, GREYS, answers(model), attacks, threat_model, **settings)


class Shattered(Linear):
    """Linear logits with ripples so fine and steep that the gradient is theirs alone."""

    def __init__(self):
        super().__init__(6)
        smooth, spec = self.logits, tf.TensorSpec((None, *self.image_shape), tf.float32)
        random = np.random.default_rng(0).normal(size=(12, 6)).astype("float32")

        def logits(images):
            phases = 10_000.0 * tf.reshape(images, (-1, 12)) @ random
            return smooth(images) + 1e-3 * tf.sin(phases)

        self.logits = tf.function(logits, [spec], autograph=False)


def test_samples_grow_twice_and_the_queries_are_kept():
    attack = EvolutionPGD(queries=20_000, samples=100, growth=2)
    samples = attack.schedule()
    assert samples == [100] * 20 + [200] * 20 + [400] * 34
    assert sum(samples) + len(samples) + 1 <= 20_000 < sum(samples) + len(samples) + 402
    fewer = EvolutionPGD(queries=5000, growth=2).schedule()
    assert fewer == samples[: len(fewer)] and len(fewer) > 20
    assert len(EvolutionPGD(queries=102, samples=100).schedule()) == 1
    assert len(EvolutionPGD(queries=1213).schedule()) == 12
    assert len(EvolutionPGD(queries=1213, near=0.6).schedule()) == 11


@pytest.mark.parametrize("norm", DUAL)
def test_it_goes_through_ripples_that_mislead_gradients(norm):
    model = Shattered()
    leads = model.margins(GREYS, answers(model), EPSILONS[norm], norm)
    attack = EvolutionPGD(queries=1000, samples=40)
    found = evaluate(model, [attack, PGD(), MarginPGD()], norm)
    ours, *others = (result.robust[0] for result in found.attacks)
    assert np.all(ours[leads > 0.01])
    assert ours[leads < -0.03].sum() == 0 and (leads < -0.03).sum() > 10
    for theirs in others:
        assert ours.sum() <= theirs.sum() - 5


@pytest.fixture(scope="module")
def winners():
    """A small network of k-winners-take-all on real digits of 7 by 7 pixels, some of them."""
    keras.utils.set_random_seed(0)
    split = data.load("mnist5k").train
    images = split.float_images().reshape(-1, 7, 4, 7, 4, 1).mean(axis=(2, 4))
    hidden = [keras.layers.Dense(128), layers.KWinnersTakeAll(0.08)]
    hidden += [keras.layers.Dense(128), layers.KWinnersTakeAll(0.08)]
    model = keras.Sequential(
        [keras.Input((7, 7, 1)), keras.layers.Flatten(), *hidden, keras.layers.Dense(10)]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images, split.labels, batch_size=128, epochs=5, verbose=0)
    return serving.from_keras(model), images[:30], split.labels[:30]


def test_it_breaks_k_winners_take_all_where_pgd_fails(winners):
    attacks, settings = [PGD(), EvolutionPGD(queries=1000)], {"batch_size": 30, "seed": 0}
    found = engine.evaluate(*winners, attacks, ThreatModel("linf", (0.1,)), **settings)
    pgd, ours = (result.robust.sum() for result in found.attacks)
    assert found.clean_correct.sum() > 15
    assert pgd >= 6 and ours <= pgd - 4


def test_after_ten_steps_what_came_no_nearer_is_given_up():
    model, labels = linear(2), answers(linear(2))
    attack = EvolutionPGD(queries=700, samples=40, near=0.6)
    random = engine.generators(0, "es_pgd", 0.02, 0, range(60))
    settings = {"threat_model": ThreatModel("linf", (0.02,)), "epsilon": 0.02, "generators": random}
    taken = attack.propose(model, GREYS, labels, **settings).forward_evaluations
    whole, left = (model.margins(GREYS, labels, e, "linf") for e in (0.0, 0.02))
    given_up, hopeless = taken == 1 + 10 * 41 + 2, left > 0.65 * whole
    assert 5 < given_up.sum() < 40
    assert np.all(given_up[hopeless]) and not given_up[left < 0.5 * whole].any()


def test_counts_seeds_and_batches():
    model, attack = linear(4), EvolutionPGD(queries=500, samples=20)
    before = int(model.seen)
    one = evaluate(model, [attack], batch_size=1)
    (found,) = one.attacks
    assert int(model.seen) - before == found.forward_evaluations + 120
    assert found.gradient_evaluations == 0
    other = evaluate(model, [attack], batch_size=17)
    np.testing.assert_array_equal(one.worst_case, other.worst_case)
    assert 0 < one.worst_case.sum() < 60
    model.scale.assign(1000.0)
    scaled = evaluate(model, [attack])
    assert np.sum(scaled.worst_case != one.worst_case) <= 1


@pytest.mark.parametrize(
    "settings",
    [{"queries": 101}, {"samples": 7}, {"growth": 0}, {"width": 0.0}, {"step": 1.5}, {"near": 0.0}],
)
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        EvolutionPGD(**settings)

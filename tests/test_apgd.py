"""APGD: exact on linear models, unmoved by the logits' scale, never outside the ball."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from digits import digits
from linear_model import DUAL, GREYS, answers, linear

from robust_keras import compiled, engine, serving
from robust_keras.attacks import APGDCE, APGDDLR, PGD, APGDTargeted, ThreatModel, apgd
from robust_keras.attacks.loops import ascent
from robust_keras.attacks.loops.batches import ShrinkingBatch, batch_shape

pytestmark = pytest.mark.usefixtures("graphs_as_written")

ATTACKS = [APGDCE, APGDDLR, APGDTargeted]


def evaluate(classifier, attacks, norm="linf", epsilons=(0.05,), batch_size=60, seed=0, **data):
    images, labels = data.get("images", GREYS), data.get("labels")
    labels = answers(classifier) if labels is None else labels
    threat_model = ThreatModel(norm, epsilons)
    settings = {"batch_size": batch_size, "seed": seed}
    return engine.evaluate(classifier, images, labels, attacks, threat_model, **settings)


def test_checkpoints():
    assert apgd.checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert apgd.checkpoints(1) == [1]
    for steps in (2, 7, 33, 1000):
        found = apgd.checkpoints(steps)
        assert found == sorted(set(found)) and found[-1] <= steps


@pytest.mark.parametrize("norm", DUAL)
@pytest.mark.parametrize("attack", ATTACKS)
def test_two_linear_classes_are_attacked_to_the_exact_optimum(attack, norm):
    model, epsilon = linear(2), {"linf": 0.02, "l2": 0.06}[norm]
    labels = answers(model)
    exact = model.margins(GREYS, labels, epsilon, norm)
    robust = exact > 0
    assert 10 < robust.sum() < 50
    arguments = {"threat_model": ThreatModel(norm, (epsilon,)), "epsilon": epsilon}
    random = engine.generators(0, attack.name, epsilon, 0, range(60))
    found = attack(steps=20).propose(model, GREYS, labels, **arguments, generators=random)
    reached = model.margins(found.images, labels, 0.0, norm)
    np.testing.assert_allclose(reached[robust], exact[robust], atol=2e-6)
    assert np.all(reached[~robust] <= 0)


@pytest.mark.parametrize("norm", DUAL)
def test_targets_find_every_image_that_is_not_robust(norm):
    model, epsilon = linear(6), {"linf": 0.02, "l2": 0.06}[norm]
    labels = answers(model)
    robust = model.margins(GREYS, labels, epsilon, norm) > 0
    attacks = [attack(steps=40) for attack in ATTACKS]
    found = evaluate(model, attacks, norm, (epsilon,))
    assert 10 < robust.sum() < 50
    np.testing.assert_array_equal(found.attacks[2].robust[0], robust)
    for result in found.attacks[:2]:
        assert not np.any(robust & ~result.robust[0]), "nothing certain was broken"


@pytest.mark.parametrize("norm", DUAL)
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_leaves_the_ball_or_the_pixel_range(attack, norm):
    images = np.random.default_rng(1).integers(0, 3, (60, 3, 4, 1)).astype("float32") / 2
    model, epsilon = linear(5), {"linf": 0.2, "l2": 0.7}[norm]
    threat_model = ThreatModel(norm, (epsilon,))
    random = engine.generators(0, attack.name, epsilon, 0, range(60))
    labels = np.argmax(model.logits(images), axis=1)
    arguments = {"threat_model": threat_model, "epsilon": epsilon, "generators": random}
    found = attack(steps=9).propose(model, images, labels, **arguments).images
    assert found.min() >= 0 and found.max() <= 1
    distances = threat_model.distances(images, found)
    assert distances.max() <= epsilon * (1 if norm == "linf" else 1 + 1e-5)
    assert np.median(distances) > 0.9 * epsilon


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_pass_is_counted_and_fooled_images_stop_costing(attack):
    model, settings = linear(4), {"epsilons": (0.02, 0.3), "batch_size": 1}
    data = {"images": GREYS[:8], "labels": answers(model)[:8]}
    before = int(model.seen)
    (result,) = evaluate(model, [attack(steps=9)], **settings, **data).attacks
    survivors = int(result.robust[0].sum())
    assert 0 < survivors < 8 and not result.robust[1].any()
    passes = result.gradient_evaluations + result.forward_evaluations
    assert int(model.seen) - before == passes + 8, "and the clean pass"
    most = (8 + survivors) * attack(steps=9).gradient_evaluations
    assert survivors * 10 < result.gradient_evaluations < most


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(48, "relu"), keras.layers.Dense(10)]
    network = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss)
    images, labels = digits()
    network.fit(images[:2500], labels[:2500], batch_size=100, epochs=4, verbose=0)
    return network


@pytest.fixture(scope="module")
def sample():
    images, labels = digits()
    return {"images": images[3000:3060], "labels": labels[3000:3060]}


@pytest.fixture(scope="module")
def found(network, sample):
    attacks = [*(attack(steps=40) for attack in ATTACKS), PGD()]
    return evaluate(serving.from_keras(network), attacks, epsilons=(0.03, 0.06), **sample)


def test_apgd_leaves_no_more_than_pgd_does(found):
    *ours, pgd = (result.robust.sum(axis=1) for result in found.attacks)
    assert 5 < pgd[0] < 55
    for left in ours:
        assert np.all(left <= pgd + 1)


def test_large_logits_blind_cross_entropy_but_not_the_ratio(network, sample, found):
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for weight in copy.layers[-1].weights:
        weight.assign(weight * 100.0)
    attacks = [attack(steps=40) for attack in ATTACKS]
    masked = evaluate(serving.from_keras(copy), attacks, epsilons=(0.03, 0.06), **sample)
    (blind, *others), (seeing, *originals) = masked.attacks, found.attacks[:3]
    assert blind.robust[1].sum() > seeing.robust[1].sum() + 12
    for result, original in zip(others, originals, strict=True):
        assert np.all(np.sum(result.robust != original.robust, axis=1) <= 1)


def test_results_depend_on_the_seed_and_not_on_the_batch_size(network, sample):
    classifier = serving.from_keras(network)
    attacks = [APGDCE(steps=12), APGDTargeted(steps=12, targets=2)]
    runs = [(60, 3), (60, 3), (17, 3), (60, 4)]
    one, again, other, reseeded = (
        evaluate(classifier, attacks, batch_size=size, seed=seed, **sample) for size, seed in runs
    )
    for first, second, third in zip(one.attacks, again.attacks, other.attacks, strict=True):
        np.testing.assert_array_equal(first.robust, second.robust)
        np.testing.assert_array_equal(first.robust, third.robust)
        assert first.gradient_evaluations == second.gradient_evaluations
    pairs = list(zip(one.examples, again.examples, strict=True))
    assert all(np.array_equal(a.adversarial, b.adversarial) for a, b in pairs)
    pairs = zip(one.examples, reseeded.examples, strict=False)
    assert any(not np.array_equal(a.adversarial, b.adversarial) for a, b in pairs)


def test_nothing_is_traced_twice():
    model = linear(3)
    labels = answers(model)
    evaluate(model, [APGDCE(steps=6)], epsilons=(0.01,), labels=labels)
    key = ascent.Ascent, model.image_shape, "cross_entropy", "linf"
    graph = compiled.graph(model, *key)
    evaluate(model, [APGDCE(steps=9, restarts=2)], epsilons=(0.02, 0.05), batch_size=17)
    assert compiled.graph(model, *key) is graph
    assert graph.begin.experimental_get_tracing_count() == 1
    assert graph.climb.experimental_get_tracing_count() == 1


def test_batches_come_in_few_shapes():
    found = [batch_shape(rows, 250) for rows in range(1, 251)]
    assert all(rows <= size <= 250 for rows, size in enumerate(found, start=1))
    assert all(size < 1.125 * rows for rows, size in enumerate(found, start=1))
    assert len(set(found)) < 50 and found[-1] == 250
    assert found[:18] == [*range(1, 17), 18, 18]
    assert found == sorted(found)


def test_a_shrinking_batch_keeps_what_is_wanted():
    batch = ShrinkingBatch({"rows": tf.range(32)}, real=31)
    assert batch.keep(np.arange(32) < 31)
    assert len(batch.places) == 32, "31 need as many rows as 32"
    wanted = [*range(1, 10), *range(20, 28)]
    assert batch.keep(np.isin(np.arange(32), [*wanted, 31]))
    np.testing.assert_array_equal(batch.places, [*wanted, 1])
    np.testing.assert_array_equal(batch.tensors["rows"], batch.places)
    assert batch.real == 17 and batch.keep(np.isin(np.arange(18), [3, 9, 17]))
    np.testing.assert_array_equal(batch.places, [4, 20])
    assert not batch.keep(np.array([0, 0], bool)), "padding alone is nothing"


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: APGDCE(steps=0), "`steps`"),
        (lambda: APGDDLR(restarts=0), "`restarts`"),
        (lambda: APGDCE(rho=0), "`rho` must be a number in (0, 1]"),
        (lambda: APGDTargeted(targets=0), "`targets` must be a whole number of at least 1"),
    ],
)
def test_bad_settings_are_refused(build, text):
    with pytest.raises(ValueError) as caught:
        build()
    assert text in str(caught.value)

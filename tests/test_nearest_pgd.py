"""nearest_pgd: the order of its targets, exact where the model is linear, scale-free, counted."""

import numpy as np
import pytest
import tensorflow as tf
from linear_model import DUAL, GREYS, answers, linear

from robust_keras import engine
from robust_keras.attacks import NearestPGD, ThreatModel
from robust_keras.attacks.loops.linear_distances import nearest_others
from robust_keras.attacks.loops.search import Plan, Search
from robust_keras.attacks.loops.task import Task

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILON = {"linf": 0.02, "l2": 0.06}


def evaluate(model, attack, norm="linf", batch_size=60):
    settings = {"batch_size": batch_size, "seed": 0}
    threat_model = ThreatModel(norm, (EPSILON[norm],))
    return engine.evaluate(model, GREYS, answers(model), [attack], threat_model, **settings)


def task(model, labels, norm="linf"):
    return Task(model, GREYS, labels, ThreatModel(norm, (0.1,)), 0.1, ())


@pytest.mark.parametrize("norm", DUAL)
@pytest.mark.parametrize("num_classes", [2, 3, 12])
def test_all_that_can_fall_in_a_linear_model_falls_at_every_scale(norm, num_classes):
    model = linear(num_classes)
    robust = model.margins(GREYS, answers(model), EPSILON[norm], norm) > 0
    assert 5 < robust.sum() < 55
    for scale in (1e-6, 1.0, 1e5):
        model.scale.assign(scale)
        found = evaluate(model, NearestPGD(targets=3, again=4), norm)
        np.testing.assert_array_equal(found.worst_case[0], robust)


@pytest.mark.parametrize("norm", DUAL)
def test_targets_are_the_nearest_linear_boundaries(norm):
    model = linear(6)
    labels = answers(model)
    nearest = nearest_others(task(model, labels, norm), 4, 9)
    logits = GREYS.reshape(60, -1).astype(np.float64) @ model.weights
    leads = logits[np.arange(60), labels, None] - logits
    slopes = np.linalg.norm(
        model.weights[:, labels, None] - model.weights[:, None], DUAL[norm], axis=0
    )
    distances = np.where(slopes > 0, leads / np.maximum(slopes, 1e-9), np.inf)
    np.testing.assert_array_equal(nearest.targets, np.argsort(distances, axis=1).T[:4])
    by_logits = np.argsort(leads, axis=1).T[1:5]
    assert nearest.gradients == 5 and (nearest.targets != by_logits).mean() > 0.1
    np.testing.assert_allclose(nearest.lead, np.sort(leads, axis=1)[:, 1], atol=1e-5)


def test_classes_without_a_gradient_come_last():
    model = linear(3)
    fixed = tf.constant([[-1.0, 0.0, 0.0]])

    def logits(images):
        return tf.concat([model.logits(images), tf.repeat(fixed, tf.shape(images)[0], 0)], axis=1)

    class Flat:
        num_classes = 6
        gradient_error = None
        image_shape = model.image_shape

    flat = Flat()
    flat.logits = logits
    # The label is one without a gradient too: of its boundaries with its like nothing is known.
    order = nearest_others(task(flat, np.full(60, 4)), 5, 5).targets
    assert set(order[:3].ravel()) == {0, 1, 2} and set(order[3:].ravel()) == {3, 5}


def test_steps_are_long_while_there_is_an_aim_and_end_at_a_thousandth():
    plan = NearestPGD(steps=25).plan()
    shares = plan.shares(25)
    np.testing.assert_array_equal(shares[:6], 1.0)
    assert np.all(np.diff(shares[5:]) < 0) and 0.001 < shares[-1] < 0.01
    assert np.all(Plan(first_step=0.1).shares(7) == 1.0)


def test_every_pass_is_counted_and_the_batch_size_changes_nothing():
    model, attack = linear(4), NearestPGD(steps=9, targets=5, again=4, near=1.0)
    before = int(model.seen)
    one = evaluate(model, attack, batch_size=1)
    (result,) = one.attacks
    # Three gradients for the order come from one forward pass, of every image.
    passes = result.gradient_evaluations - 3 * 60 + result.forward_evaluations
    assert int(model.seen) - before == passes + 120, "with the clean pass and the labels"
    survivors = int(result.robust.sum())
    assert 0 < survivors < 60 and result.gradient_evaluations >= survivors * 53
    other = evaluate(model, attack, batch_size=17)
    np.testing.assert_array_equal(one.worst_case, other.worst_case)


def test_the_nearer_an_image_came_the_more_long_tries_it_gets():
    model, epsilon = linear(2), 0.05
    attack, labels = NearestPGD(steps=20, targets=1, again=4, near=0.5), answers(model)
    whole, left = (model.margins(GREYS, labels, e, "linf") for e in (0.0, epsilon))
    random = engine.generators(0, "nearest_pgd", epsilon, 0, range(60))
    settings = {"threat_model": ThreatModel("linf", (epsilon,)), "epsilon": epsilon}
    taken = attack.propose(model, GREYS, labels, generators=random, **settings)
    long_tries = (taken.gradient_evaluations - 1 - 21) / 81
    shares = (left / whole)[left > 1e-4]
    expected = sum(shares <= 0.5 / number for number in (1, 2, 3, 4))
    np.testing.assert_array_equal(long_tries[left > 1e-4], expected)
    assert set(expected) == {0, 1, 2, 3, 4}


def test_long_tries_go_together_and_an_image_that_falls_in_one_keeps_its_point():
    model, labels = linear(4), answers(linear(4))
    random = engine.generators(0, "nearest_pgd", 0.02, 0, range(60))
    given = Task(model, GREYS, labels, ThreatModel("linf", (0.02,)), 0.02, random)
    search = Search(NearestPGD(steps=8), given)
    tries = np.stack([nearest_others(given, 3, 3).targets[0]] * 3 + [labels])
    closest = search.run(tries, among=np.array([[True]] * 3 + [[False]]))
    robust = model.margins(GREYS, labels, 0.02, "linf") > 0
    np.testing.assert_array_equal(search.fooled, ~robust)
    found = np.argmax(model.logits(search.adversarial), axis=1)
    np.testing.assert_array_equal(found == labels, robust)
    assert np.all(closest[3] == -np.inf) and np.all(np.isfinite(closest[:3, robust]))
    passes = search.proposal(0).gradient_evaluations
    assert np.all(passes[robust] == 3 * 9) and passes[~robust].max() <= 3 * 9


@pytest.mark.parametrize("norm", DUAL)
def test_nothing_leaves_the_ball_or_the_pixel_range(norm):
    images = np.random.default_rng(1).integers(0, 3, (60, 3, 4, 1)).astype("float32") / 2
    model, epsilon = linear(5), {"linf": 0.2, "l2": 0.7}[norm]
    threat_model = ThreatModel(norm, (epsilon,))
    random = engine.generators(0, "nearest_pgd", epsilon, 0, range(60))
    labels = np.argmax(model.logits(images), axis=1)
    settings = {"threat_model": threat_model, "epsilon": epsilon, "generators": random}
    found = NearestPGD(steps=9, again=4).propose(model, images, labels, **settings).images
    assert found.min() >= 0 and found.max() <= 1
    distances = threat_model.distances(images, found)
    assert distances.max() <= epsilon * (1 if norm == "linf" else 1 + 1e-5)


@pytest.mark.parametrize("settings", [{"steps": 0}, {"targets": 0}, {"steps": 1.0}])
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        NearestPGD(**settings)

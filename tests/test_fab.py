"""FAB: its projection against scipy, exact on linear models, counted, free of the batch."""

import numpy as np
import pytest
import scipy.optimize
import tensorflow as tf
from linear_model import DUAL, GREYS, Linear, answers, linear

from robust_keras import compiled, engine
from robust_keras.attacks import PGD, FABTargeted, ThreatModel
from robust_keras.attacks.loops import boundary
from robust_keras.attacks.loops.hyperplanes import shortest_changes

pytestmark = pytest.mark.usefixtures("graphs_as_written")


def evaluate(classifier, attacks, norm, epsilons, batch_size=60, seed=0, survivors=None):
    settings = {"batch_size": batch_size, "seed": seed, "survivors": survivors}
    threat_model = ThreatModel(norm, epsilons)
    labels = answers(classifier)
    return engine.evaluate(classifier, GREYS, labels, attacks, threat_model, **settings)


def perturb(attack, model, norm, epsilon, images=GREYS, seed=0):
    labels = np.argmax(model.logits(images), axis=1)
    random = engine.generators(seed, attack.name, epsilon, 0, range(len(images)))
    settings = {"threat_model": ThreatModel(norm, (epsilon,)), "epsilon": epsilon}
    return attack.propose(model, images, labels, **settings, generators=random)


def reference(point, normal, value, norm):
    """The smallest norm of a change that reaches the hyperplane within [0, 1], by scipy."""
    size, bounds = len(point), list(zip(-point, 1.0 - point, strict=True))
    if norm == "linf":
        cost = np.append(np.zeros(size), 1.0)
        eye, ones = np.eye(size), np.ones((size, 1))
        sides = np.block([[eye, -ones], [-eye, -ones]])
        plane = np.append(normal, 0.0)[None]
        limits = [*bounds, (0, None)]
        found = scipy.optimize.linprog(cost, sides, np.zeros(2 * size), plane, [-value], limits)
    else:
        rows, wanted = (
            np.vstack([np.eye(size), 1e4 * normal]),
            np.append(np.zeros(size), -1e4 * value),
        )
        limits = tuple(zip(*bounds, strict=True))
        found = scipy.optimize.lsq_linear(rows, wanted, limits, method="bvls", tol=1e-14)
    assert found.success
    return found.fun if norm == "linf" else np.linalg.norm(found.x)


@pytest.mark.parametrize("norm", DUAL)
def test_the_way_to_a_hyperplane_is_the_shortest_within_the_box(norm):
    random = np.random.default_rng(5)
    points = np.append(random.uniform(size=(24, 6)), random.integers(0, 2, (8, 6)), axis=0)
    normals = random.normal(size=(32, 6)) * (random.uniform(size=(32, 6)) < 0.8)
    # A share of the furthest that the box allows, towards either side.
    corners = np.where(normals * np.sign(random.normal(size=(32, 1))) > 0, 1.0, 0.0)
    values = -(normals * (corners - points)).sum(axis=1) * random.uniform(0.02, 0.98, 32)
    given = (tf.constant(array, tf.float32) for array in (points, normals, values))
    changes = shortest_changes(*given, 0.0, 1.0, norm).numpy()
    np.testing.assert_allclose((normals * changes).sum(axis=1), -values, atol=2e-5)
    assert np.all((points + changes > -1e-6) & (points + changes < 1 + 1e-6))
    lengths = np.linalg.norm(changes, {"linf": np.inf, "l2": 2}[norm], axis=1)
    expected = [reference(*row, norm) for row in zip(points, normals, values, strict=True)]
    np.testing.assert_allclose(lengths, expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("norm", DUAL)
def test_beyond_the_box_everything_goes_as_far_as_it_can(norm):
    points = tf.constant([[0.2, 0.7, 0.4], [0.2, 0.7, 0.4], [0.2, 0.7, 0.4]])
    normals = tf.constant([[1.0, -2.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    changes = shortest_changes(points, normals, tf.constant([-50.0, 1.0, 0.0]), 0.0, 1.0, norm)
    expected = [[0.8, -0.7, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    np.testing.assert_allclose(changes, expected, atol=1e-6)


@pytest.mark.parametrize("norm", DUAL)
@pytest.mark.parametrize("num_classes", [2, 6])
def test_the_smallest_change_of_a_linear_model_is_found(num_classes, norm):
    model, tiny = linear(num_classes), 1e-6
    labels = answers(model)
    lost = np.linalg.norm(
        model.weights[:, labels, None] - model.weights[:, None], DUAL[norm], axis=0
    )
    logits = GREYS.reshape(60, 12).astype(np.float64) @ model.weights
    leads = logits[np.arange(60), labels][:, None] - logits
    exact = np.min(leads / np.where(lost > 0, lost, np.nan), axis=1, where=lost > 0, initial=9.0)
    found = perturb(FABTargeted(steps=30), model, norm, tiny).images
    reached = ThreatModel(norm, (1.0,)).distances(GREYS, found)
    assert np.all(np.argmax(model.logits(found), axis=1) != labels)
    np.testing.assert_allclose(reached, exact, rtol=0.01, atol=1e-4)
    assert np.all(reached > exact - 1e-5)


@pytest.mark.parametrize("norm", DUAL)
def test_it_takes_from_what_pgd_left_all_that_can_fall(norm):
    model, epsilon = linear(6), {"linf": 0.02, "l2": 0.06}[norm]
    # Large logits blind cross-entropy, and their boundaries stay where they are.
    model.scale.assign(1000.0)
    robust = model.margins(GREYS, answers(model), epsilon, norm) > 0
    (pgd,) = evaluate(model, [PGD()], norm, (epsilon,)).attacks
    found = evaluate(model, [FABTargeted()], norm, (epsilon,), survivors=pgd.robust)
    assert np.sum(pgd.robust[0] & ~robust) > 5
    np.testing.assert_array_equal(found.worst_case[0], robust)


def test_nothing_leaves_the_pixel_range():
    images = np.random.default_rng(1).integers(0, 3, (60, 3, 4, 1)).astype("float32") / 2
    for norm in DUAL:
        found = perturb(FABTargeted(steps=9, restarts=2), linear(5), norm, 0.01, images).images
        assert found.min() >= 0 and found.max() <= 1
        assert np.any(found != images, axis=(1, 2, 3)).all()


def test_every_pass_is_counted_and_fallen_images_stop_costing():
    model, epsilons = linear(4), (0.02, 0.3)
    before = int(model.seen)
    (result,) = evaluate(model, [FABTargeted(steps=9)], "linf", epsilons, batch_size=1).attacks
    survivors = int(result.robust[0].sum())
    assert 0 < survivors < 60 and not result.robust[1].any()
    passes = result.gradient_evaluations + result.forward_evaluations
    # The clean pass, and the labels of this test.
    assert int(model.seen) - before == passes + 120
    assert survivors * 27 < result.gradient_evaluations < (60 + survivors) * 27
    assert FABTargeted(steps=9, targets=3, restarts=2).gradient_evaluations == 54


class Bowl(Linear):
    """The gradient is 0 at a grey of 0.5, so that only another start gets anywhere."""

    def __init__(self):
        super().__init__(3)
        straight, spec = self.logits, tf.TensorSpec((None, *self.image_shape), tf.float32)
        first = [0.02, 0.0, 0.0]
        self.logits = tf.function(lambda x: first + straight(tf.square(x - 0.5)), [spec])


def test_restarts_begin_elsewhere_and_depend_on_the_seed():
    grey, model = np.full((8, 3, 4, 1), 0.5, "float32"), Bowl()
    runs = [(1, 3), (3, 3), (3, 3), (3, 4)]
    once, one, again, other = (
        perturb(FABTargeted(steps=20, restarts=restarts), model, "linf", 0.01, grey, seed).images
        for restarts, seed in runs
    )
    np.testing.assert_array_equal(once, grey)
    assert np.all(np.argmax(model.logits(one), axis=1) != 0)
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other, axis=(1, 2, 3)).all()
    assert len(np.unique(one.round(5), axis=0)) == 8, "each image has its own start"


def test_results_do_not_depend_on_the_batch_size():
    attack, model = FABTargeted(steps=3, restarts=4, targets=2), linear(5)
    one, again, other = (
        evaluate(model, [attack], "linf", (0.01, 0.02), batch_size=size, seed=3)
        for size in (60, 60, 17)
    )
    np.testing.assert_array_equal(one.worst_case, again.worst_case)
    np.testing.assert_array_equal(one.worst_case, other.worst_case)
    assert one.attacks[0].gradient_evaluations == again.attacks[0].gradient_evaluations
    for first, second in zip(one.examples, again.examples, strict=True):
        np.testing.assert_array_equal(first.adversarial, second.adversarial)


def test_nothing_is_traced_twice():
    model = linear(3)
    evaluate(model, [FABTargeted(steps=6)], "linf", (0.01,))
    key = boundary.BoundarySearch, model.image_shape, "linf"
    graph = compiled.graph(model, *key)
    evaluate(model, [FABTargeted(steps=11, restarts=2)], "linf", (0.02, 0.05), batch_size=17)
    assert compiled.graph(model, *key) is graph
    assert graph.search.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("name", ["steps", "restarts", "targets"])
def test_bad_settings_are_refused(name):
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number of at least 1"):
        FABTargeted(**{name: 0})

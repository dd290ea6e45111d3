"""Square in l2: its hills, how a query moves the change, its limits, and what it finds."""

import numpy as np
import pytest
from linear_model import GREYS, Linear, answers

from robust_keras import compiled, engine
from robust_keras.attacks import Square, ThreatModel
from robust_keras.attacks.loops.square_l2 import L2Squares, bump

pytestmark = pytest.mark.usefixtures("graphs_as_written")

SHAPE = (9, 8, 2)
MODEL = Linear(4, SHAPE)
IMAGES = np.random.default_rng(3).uniform(0.3, 0.7, (20, *SHAPE)).astype("float32")
LABELS = np.argmax(MODEL.logits(IMAGES), axis=1)
EPSILON = 0.15


def perturb(attack, epsilon=EPSILON, images=IMAGES, labels=LABELS):
    random = engine.generators(0, "square", epsilon, 0, range(len(images)))
    settings = {"threat_model": ThreatModel("l2", (epsilon,)), "epsilon": epsilon}
    return attack.propose(MODEL, images, labels, **settings, generators=random)


def leads(images):
    logits = np.array(MODEL.logits(images))
    own = logits[np.arange(len(images)), LABELS].copy()
    logits[np.arange(len(images)), LABELS] = -np.inf
    return own - logits.max(axis=1)


def published_hill(height, width):
    """The sum of nested rectangles around the middle, as in section 3.4."""
    hill = np.zeros((height, width))
    for k in range(max(height, width) // 2 + 1):
        top, left = height // 2 - k, width // 2 - k
        hill[max(top, 0) : top + 2 * k + 1, max(left, 0) : left + 2 * k + 1] += 1 / (k + 1) ** 2
    return hill / np.linalg.norm(hill)


@pytest.mark.parametrize("side", [3, 5, 7, 13, 28])
def test_a_bump_is_a_hill_and_a_dip_of_norm_one(side):
    up, down = published_hill(side // 2, side), published_hill(side - side // 2, side)
    expected = np.concatenate([up, -down]) / np.sqrt(2)
    np.testing.assert_allclose(bump(side), expected, atol=1e-6)


def test_sides_are_odd_and_fit():
    sides = L2Squares.sides(9000, 0.8, 32, 32)
    assert sides[0] == 29 and sides[11] == 21 and sides[-1] == 3
    assert set(sides % 2) == {1} and np.all(np.diff(sides) <= 0)
    assert set(L2Squares.sides(50, 0.8, 4, 6)) == {3} and set(L2Squares.sides(9, 0.8, 2, 2)) == {1}


def test_the_first_candidate_spends_all_of_epsilon_on_a_grid():
    changes = perturb(Square(queries=1)).images - IMAGES
    np.testing.assert_allclose(np.linalg.norm(changes.reshape(20, -1), axis=1), EPSILON, rtol=1e-4)
    assert len(np.unique(np.sign(changes).reshape(20, -1), axis=0)) == 20, "each has its own"


def test_a_query_never_raises_the_lead_and_changes_two_squares():
    before = perturb(Square(queries=1)).images
    moved = 0
    for queries in (2, 3, 4, 5, 6, 12, 13, 14, 60, 61, 62, 63, 300):
        after = perturb(Square(queries=queries)).images
        assert np.all(leads(after) <= leads(before) + 1e-6)
        norms = np.linalg.norm((after - IMAGES).reshape(20, -1), axis=1)
        np.testing.assert_allclose(norms, EPSILON, rtol=1e-4)
        moved += np.any(after != before)
        before = after
    assert moved > 6
    # Late squares are of 3 x 3 pixels: where nothing is scaled, at most two of them differ.
    one, two = (perturb(Square(queries=queries, share=0.05)).images for queries in (400, 401))
    ratio = (two - IMAGES) / (one - IMAGES)
    for row in range(20):
        usual = np.median(ratio[row])
        assert np.sum(np.abs(ratio[row] - usual).max(axis=-1) > 1e-3) <= 18


def test_it_stays_in_the_pixel_range_and_the_ball():
    images = np.random.default_rng(1).integers(0, 3, IMAGES.shape).astype("float32") / 2
    labels = np.argmax(MODEL.logits(images), axis=1)
    found = perturb(Square(queries=80), 0.9, images, labels).images
    assert found.min() >= 0 and found.max() <= 1
    distances = ThreatModel("l2", (0.9,)).distances(images, found)
    assert np.all((distances > 0.3) & (distances <= 0.9 + 1e-5))


def test_it_finds_much_of_what_there_is_in_a_linear_model_and_nothing_else():
    settings = {"batch_size": 20, "seed": 0}
    threat_model = ThreatModel("l2", (0.1, EPSILON))
    lost = np.linalg.norm(MODEL.weights[:, LABELS, None] - MODEL.weights[:, None], axis=0)
    logits = IMAGES.reshape(20, 144).astype(np.float64) @ MODEL.weights
    ratio = (logits[np.arange(20), LABELS][:, None] - logits) / np.where(lost > 0, lost, np.nan)
    exact = np.nanmin(ratio, axis=1)
    attacks = [Square(queries=1500)]
    (ours,) = engine.evaluate(MODEL, IMAGES, LABELS, attacks, threat_model, **settings).attacks
    for row, epsilon in enumerate(threat_model.epsilons):
        assert np.all(ours.robust[row][exact > epsilon])
        assert not np.any(ours.robust[row][exact < 0.5 * epsilon])
    assert np.sum(exact < 0.5 * EPSILON) > 3 and ours.robust[1].any()
    settings["batch_size"] = 7
    (again,) = engine.evaluate(MODEL, IMAGES, LABELS, attacks, threat_model, **settings).attacks
    np.testing.assert_array_equal(ours.robust, again.robust)
    graph = compiled.graph(MODEL, L2Squares, SHAPE)
    assert graph.search.experimental_get_tracing_count() == 1


def test_tiny_images_work():
    model, threat_model = Linear(3), ThreatModel("l2", (0.1,))
    settings = {"batch_size": 60, "seed": 0}
    attacks = [Square(queries=60)]
    (ours,) = engine.evaluate(
        model, GREYS, answers(model), attacks, threat_model, **settings
    ).attacks
    robust = model.margins(GREYS, answers(model), 0.1, "l2") > 0
    assert np.all(ours.robust[0] >= robust) and not ours.robust[0].all()

"""Square: its schedule, its acceptance, its price, and models without gradients."""

import numpy as np
import pytest
import tensorflow as tf

from robust_keras import engine
from robust_keras.attacks import PGD, Square, ThreatModel
from robust_keras.attacks.loops.random_squares import square_sides

IMAGES = np.random.default_rng(3).uniform(0.2, 0.8, (24, 6, 5, 2)).astype("float32")
WEIGHTS = np.random.default_rng(4).normal(size=(60, 4)).astype("float32")
WEIGHTS -= WEIGHTS.mean(axis=0)


class Steps:
    """Linear logits rounded to steps, so no gradient leads anywhere; counts what it has seen."""

    image_shape, num_classes, gradient_error = (6, 5, 2), 4, "Rounding has no gradient."

    def __init__(self):
        self.seen = tf.Variable(0, dtype=tf.int64)

        def logits(images):
            self.seen.assign_add(tf.shape(images, tf.int64)[0])
            return tf.round(200.0 * tf.reshape(images, (-1, 60)) @ WEIGHTS) / 200.0

        self.logits = tf.function(logits, [tf.TensorSpec((None, 6, 5, 2))], autograph=False)

    def leads(self, images, labels):
        logits = np.array(self.logits(images))
        own = logits[np.arange(len(labels)), labels].copy()
        logits[np.arange(len(labels)), labels] = -np.inf
        return own - logits.max(axis=1)


MODEL = Steps()
LABELS = np.argmax(MODEL.logits(IMAGES), axis=1)


def perturb(attack, epsilon=0.05, images=IMAGES, labels=LABELS):
    random = engine.generators(0, "square", epsilon, 0, range(len(images)))
    settings = {"threat_model": ThreatModel("linf", (epsilon,)), "epsilon": epsilon}
    return attack.propose(MODEL, images, labels, **settings, generators=random)


def evaluate(attacks, epsilons=(0.03, 0.08), batch_size=24, seed=0):
    settings = {"batch_size": batch_size, "seed": seed}
    return engine.evaluate(
        MODEL, IMAGES, LABELS, attacks, ThreatModel("linf", epsilons), **settings
    )


def test_sides_shrink_as_published():
    sides = square_sides(10000, 0.8, 32, 32)
    # The share is 0.8 up to query 10, halved after it, and so on.
    at = {0: 0, 10: 0, 11: 1, 50: 1, 51: 2, 200: 2, 201: 3, 501: 4, 1001: 5, 2001: 6}
    at |= {4000: 6, 4001: 7, 6001: 8, 8000: 8, 8001: 9, 9999: 9}
    for query, halved in at.items():
        assert sides[query] == max(1, round((0.8 / 2**halved * 32 * 32) ** 0.5)), query
    assert square_sides(9, 1.0, 4, 30).tolist() == [4] * 9, "fits the shorter side"


def test_the_first_candidate_is_stripes_at_the_edge():
    proposal = perturb(Square(queries=1))
    change = proposal.images - IMAGES
    np.testing.assert_allclose(np.abs(change), 0.05, atol=1e-6)
    np.testing.assert_allclose(change, np.broadcast_to(change[:, :1], change.shape), atol=1e-6)
    assert len(np.unique(np.sign(change[:, 0]), axis=0)) > 20, "each image has its own"
    assert proposal.forward_evaluations.tolist() == [1] * 24


def test_a_query_never_raises_the_lead_and_changes_one_square():
    before = perturb(Square(queries=1)).images
    moved = 0
    for queries in (*range(2, 30), 60, 120):
        after = perturb(Square(queries=queries)).images
        leads = MODEL.leads(before, LABELS), MODEL.leads(after, LABELS)
        assert np.all(leads[1] <= leads[0])
        changed = np.abs(after - before).max(axis=-1) > 1e-6
        side = square_sides(queries, 0.8, 6, 5)[queries - 2]
        if queries < 30:
            assert changed.any(axis=2).sum(axis=1).max() <= side
            assert changed.any(axis=1).sum(axis=1).max() <= side
        moved += changed.any()
        before = after
    assert moved > 5


def test_it_stays_in_the_ball_and_the_pixel_range():
    images = np.random.default_rng(1).integers(0, 3, IMAGES.shape).astype("float32") / 2
    labels = np.argmax(MODEL.logits(images), axis=1)
    found = perturb(Square(queries=50), 0.1, images, labels).images
    assert found.min() >= 0 and found.max() <= 1
    distances = ThreatModel("linf", (0.1,)).distances(images, found)
    assert np.all((distances > 0.099) & (distances <= 0.1))


def test_it_breaks_a_model_without_gradients_and_nothing_certain():
    found = evaluate([PGD(), Square(queries=1500)])
    pgd, ours = found.attacks
    assert pgd.skipped and ours.skipped is None
    assert ours.gradient_evaluations == 0
    # What a linear model without steps loses at most, and the most that rounding can add.
    logits = IMAGES.reshape(24, 60).astype(np.float64) @ WEIGHTS
    for row, epsilon in enumerate((0.03, 0.08)):
        lost = np.abs(WEIGHTS[:, LABELS, None] - WEIGHTS[:, None]).sum(axis=0)
        leads = logits[np.arange(24), LABELS][:, None] - logits - epsilon * lost
        leads[np.arange(24), LABELS] = np.inf
        certain, open_ = leads.min(axis=1) > 0.01, leads.min(axis=1) < -0.3
        assert np.all(ours.robust[row][certain])
        assert not np.any(ours.robust[row][open_]) and open_.sum() > 3
    assert 0 < ours.robust[0].sum()


def test_every_query_is_counted_and_fooled_images_stop_costing():
    before = int(MODEL.seen)
    (result,) = evaluate([Square(queries=40)], epsilons=(0.03,), batch_size=1).attacks
    survivors = int(result.robust[0].sum())
    assert 0 < survivors < 24
    # The engine predicts every candidate once more, and every clean image.
    assert int(MODEL.seen) - before == result.forward_evaluations + 24
    assert 41 * survivors < result.forward_evaluations < 41 * 24


def test_what_comes_no_nearer_is_given_up():
    """No image falls that would not have fallen otherwise, nor any later, and few stay."""
    whole, gated = (perturb(Square(queries=2500, near=near), 0.015) for near in (None, 0.6))
    clean = MODEL.leads(IMAGES, LABELS)
    ends = [MODEL.leads(found.images, LABELS) for found in (whole, gated)]
    taken = gated.forward_evaluations
    stays = taken == 2500
    assert np.all(ends[1][stays] > 0.0) and np.all(ends[1][stays] <= 0.6 * clean[stays])
    given_up = (ends[1] > 0.0) & ~stays
    assert np.all(taken[given_up] >= 1000) and np.all(ends[1][given_up] > 0.3 * clean[given_up])
    fooled = ends[1] <= 0.0
    np.testing.assert_array_equal(gated.images[fooled], whole.images[fooled])
    assert min(stays.sum(), given_up.sum(), fooled.sum()) > 2
    # What was given up may stay in a batch that does not shrink yet; that changes nothing.
    few = perturb(Square(queries=2500, near=0.6), 0.015, IMAGES[:7], LABELS[:7])
    np.testing.assert_array_equal(few.images, gated.images[:7])


def test_results_depend_on_the_seed_and_not_on_the_batch_size():
    attacks = [Square(queries=200)]
    one, again, other = (evaluate(attacks, batch_size=size) for size in (24, 24, 7))
    np.testing.assert_array_equal(one.attacks[0].robust, again.attacks[0].robust)
    np.testing.assert_array_equal(one.attacks[0].robust, other.attacks[0].robust)
    for first, *others in zip(one.examples, again.examples, other.examples, strict=True):
        for second in others:
            np.testing.assert_array_equal(first.adversarial, second.adversarial)
    reseeded = evaluate(attacks, seed=1)
    pairs = zip(one.examples, reseeded.examples, strict=False)
    assert any(not np.array_equal(a.adversarial, b.adversarial) for a, b in pairs)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"queries": 0}, "`queries`"),
        ({"share": 0.0}, "`share` must be"),
        ({"share": 2}, "`share`"),
        ({"near": 0.0}, "`near`"),
    ],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(ValueError) as caught:
        Square(**settings)
    assert text in str(caught.value)

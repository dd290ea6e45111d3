"""HopSkipJump: near the smallest change of a linear model, with classes alone and counted."""

import numpy as np
import pytest
import tensorflow as tf
from linear_model import DUAL, GREYS, Linear, answers, linear

from robust_keras import engine
from robust_keras.attacks import HopSkipJump, ThreatModel
from robust_keras.attacks.loops.starts import starting_points

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = {"linf": 0.02, "l2": 0.06}


class ClassesOnly(Linear):
    """The same model that tells its predicted class and nothing else."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        scores, spec = self.logits, tf.TensorSpec((None, *self.image_shape), tf.float32)
        self.logits = tf.function(
            lambda images: tf.one_hot(tf.argmax(scores(images), axis=-1), num_classes),
            [spec],
            autograph=False,
        )


def perturb(attack, model, norm, epsilon, images=GREYS, seed=0):
    labels = np.argmax(model.logits(images), axis=1)
    random = engine.generators(seed, attack.name, epsilon, 0, range(len(images)))
    settings = {"threat_model": ThreatModel(norm, (epsilon,)), "epsilon": epsilon}
    return attack.propose(model, images, labels, **settings, generators=random)


def evaluate(model, attack, norm="linf", batch_size=60, seed=0):
    threat_model = ThreatModel(norm, (EPSILONS[norm],))
    settings = {"batch_size": batch_size, "seed": seed}
    return engine.evaluate(model, GREYS, answers(model), [attack], threat_model, **settings)


def shortest(model, norm):
    """Distance of every image from the nearest boundary, bounds apart."""
    labels = answers(model)
    lost = np.linalg.norm(
        model.weights[:, labels, None] - model.weights[:, None], DUAL[norm], axis=0
    )
    logits = GREYS.reshape(60, 12).astype(np.float64) @ model.weights
    leads = logits[np.arange(60), labels][:, None] - logits
    return np.min(leads / np.where(lost > 0, lost, np.nan), axis=1, where=lost > 0, initial=9.0)


@pytest.mark.parametrize("norm", DUAL)
def test_it_comes_near_the_smallest_change_with_classes_alone(norm):
    model, attack = ClassesOnly(2), HopSkipJump(queries=3000)
    found = perturb(attack, model, norm, 1e-6)
    assert np.all(np.argmax(model.logits(found.images), axis=1) != answers(model))
    reached = ThreatModel(norm, (1.0,)).distances(GREYS, found.images)
    ratios = reached / shortest(model, norm)
    assert ratios.min() > 0.999 and np.median(ratios) < 1.1 and ratios.max() < 2.0
    assert found.forward_evaluations.max() <= 3000 and not found.gradient_evaluations.any()
    logits = perturb(attack, linear(2), norm, 1e-6)
    np.testing.assert_array_equal(found.images, logits.images)


def test_more_queries_never_leave_more():
    left, model = [], linear(6)
    for queries in (100, 400, 1600):
        (found,) = evaluate(model, HopSkipJump(queries=queries)).attacks
        assert found.forward_evaluations <= 60 * (queries + 1)
        left.append(found.robust[0])
    assert np.all(left[1] <= left[0]) and np.all(left[2] <= left[1])
    assert left[2].sum() < left[0].sum()
    assert np.all(left[2][model.margins(GREYS, answers(model), 0.02, "linf") > 0])


def test_every_query_is_counted_and_the_batch_size_changes_nothing():
    model, attack = linear(4), HopSkipJump(queries=200, directions=30)
    before = int(model.seen)
    one = evaluate(model, attack, batch_size=1)
    assert int(model.seen) - before == one.attacks[0].forward_evaluations + 120
    other = evaluate(model, attack, batch_size=17)
    np.testing.assert_array_equal(one.worst_case, other.worst_case)
    for first, second in zip(one.examples, other.examples, strict=True):
        np.testing.assert_allclose(first.adversarial, second.adversarial, atol=1e-5)
    reseeded = evaluate(model, attack, seed=1)
    pairs = zip(one.examples, reseeded.examples, strict=False)
    assert any(not np.array_equal(a.adversarial, b.adversarial) for a, b in pairs)


class Stubborn(Linear):
    """Always the first class."""

    def __init__(self):
        super().__init__(3)
        spec = tf.TensorSpec((None, *self.image_shape), tf.float32)
        self.logits = tf.function(
            lambda images: tf.one_hot(tf.zeros_like(images[:, 0, 0, 0], tf.int32), 3), [spec]
        )


def test_without_a_start_the_image_stays_and_the_tries_are_counted():
    found = perturb(HopSkipJump(starts=7), Stubborn(), "l2", 0.1)
    np.testing.assert_array_equal(found.images, GREYS)
    assert found.forward_evaluations.tolist() == [7] * 60


def test_starts_are_images_of_many_kinds_that_repeat_with_the_seed():
    images = np.random.default_rng(0).uniform(size=(3, 9, 7, 2)).astype("float32")

    def starts(attempt, seed=0):
        random = engine.generators(seed, "hopskipjump", 0.1, 0, range(3))
        return starting_points(images, attempt, random, (0.0, 1.0))

    kinds = [starts(attempt) for attempt in range(8)]
    for points in kinds:
        assert points.shape == images.shape and points.dtype == np.float32
        assert points.min() >= 0.0 and points.max() <= 1.0
    assert not kinds[1].any() and np.all(kinds[2] == 1.0)
    np.testing.assert_allclose(kinds[3], 1.0 - images, atol=1e-6)
    # The first and the fifth are of one kind, and here of one seed.
    assert len({points.tobytes() for points in kinds}) == 7
    assert set(np.unique(starts(5))) == {0.0, 1.0}
    blocks = starts(6)
    np.testing.assert_array_equal(blocks[:, 0:8:2, 0:6:2], blocks[:, 1:8:2, 1:6:2])
    np.testing.assert_array_equal(starts(4), kinds[4])
    assert np.any(starts(4, seed=1) != kinds[4])


@pytest.mark.parametrize("settings", [{"queries": 0}, {"directions": 1}, {"starts": 0}])
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        HopSkipJump(**settings)

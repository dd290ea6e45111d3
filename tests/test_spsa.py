"""SPSA: what it finds in a linear model, its price, and what must change nothing."""

import numpy as np
import pytest
import tensorflow as tf
from linear_model import DUAL, GREYS, Linear, answers, linear

from robust_keras import compiled, engine
from robust_keras.attacks import SPSA, ThreatModel
from robust_keras.attacks.loops import estimation

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = {"linf": 0.02, "l2": 0.06}
SMALL = {"queries": 800, "samples": 32}


def evaluate(model, attack, norm="linf", batch_size=60, seed=0, epsilon=None):
    threat_model = ThreatModel(norm, (epsilon or EPSILONS[norm],))
    settings = {"batch_size": batch_size, "seed": seed}
    return engine.evaluate(model, GREYS, answers(model), [attack], threat_model, **settings)


@pytest.fixture(scope="module")
def model():
    return linear(6)


@pytest.mark.parametrize("norm", DUAL)
def test_it_finds_what_can_be_found_in_a_linear_model(model, norm):
    leads = model.margins(GREYS, answers(model), EPSILONS[norm], norm)
    (found,) = evaluate(model, SPSA(queries=1500, samples=32), norm).attacks
    assert np.all(found.robust[0][leads > 0])
    # The last hundredth of the way may be lost to the noise of the estimate.
    open_ = leads < -0.01
    assert not np.any(found.robust[0][open_])
    assert 10 < (leads > 0).sum() < 50 and open_.sum() > 10
    assert found.gradient_evaluations == 0 and found.kind == "score"


@pytest.mark.parametrize("scale", [0.01, 1000.0])
def test_the_scale_of_the_logits_changes_nothing(model, scale):
    plain = evaluate(model, SPSA(**SMALL)).worst_case
    model.scale.assign(scale)
    scaled = evaluate(model, SPSA(**SMALL)).worst_case
    model.scale.assign(1.0)
    assert np.sum(plain != scaled) <= 1


def test_every_pass_is_counted_and_fooled_images_stop_costing(model):
    before = int(model.seen)
    (found,) = evaluate(model, SPSA(**SMALL), batch_size=1).attacks
    # The clean pass, and the labels of this test.
    assert int(model.seen) - before == found.forward_evaluations + 120
    survivors = int(found.robust.sum())
    # 24 steps of 33 passes, the start, and the engine's own look.
    assert survivors * 794 < found.forward_evaluations < 60 * 794


def test_results_depend_on_the_seed_and_not_on_the_batch_size(model):
    attack = SPSA(**SMALL)
    one, other, reseeded = (
        evaluate(model, attack, batch_size=size, seed=seed)
        for size, seed in ((60, 0), (17, 0), (60, 1))
    )
    np.testing.assert_array_equal(one.worst_case, other.worst_case)
    for first, second in zip(one.examples, other.examples, strict=True):
        np.testing.assert_allclose(first.adversarial, second.adversarial, atol=1e-6)
    pairs = zip(one.examples, reseeded.examples, strict=False)
    assert any(not np.array_equal(a.adversarial, b.adversarial) for a, b in pairs)


@pytest.mark.parametrize("norm", DUAL)
def test_nothing_leaves_the_ball_or_the_pixel_range(model, norm):
    images = np.random.default_rng(1).integers(0, 3, (9, 3, 4, 1)).astype("float32") / 2
    labels, threat_model = np.argmax(model.logits(images), axis=1), ThreatModel(norm, (0.1,))
    random = engine.generators(0, "spsa", 0.1, 0, range(9))
    settings = {"threat_model": threat_model, "epsilon": 0.1, "generators": random}
    found = SPSA(**SMALL).propose(model, images, labels, **settings).images
    assert found.min() >= 0 and found.max() <= 1
    distances = threat_model.distances(images, found)
    assert distances.max() <= 0.1 and distances.max() > 0.09


class Measured(Linear):
    """Remembers the largest batch that it was asked for."""

    def __init__(self):
        super().__init__(6)
        self.largest = tf.Variable(0)
        plain, spec = self.logits, tf.TensorSpec((None, *self.image_shape), tf.float32)

        def logits(images):
            self.largest.assign(tf.maximum(self.largest, tf.shape(images)[0]))
            return plain(images)

        self.logits = tf.function(logits, [spec], autograph=False)


def test_a_large_batch_is_asked_in_parts_and_nothing_is_traced_twice():
    model = Measured()
    # 60 images of 128 or 400 candidates would be thousands at once.
    for settings in ({"queries": 300, "samples": 128}, {"queries": 402, "samples": 400}):
        evaluate(model, SPSA(**settings))
        assert int(model.largest) == 512
    graph = compiled.graph(model, estimation.SlopeEstimator, model.image_shape, "signs")
    assert graph.estimate.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    "settings",
    [{"queries": 129}, {"samples": 31}, {"samples": 0}, {"width": 0.0}, {"learning_rate": 2.0}],
)
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        SPSA(**settings)

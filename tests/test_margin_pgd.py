"""margin_pgd: exact where the model is linear, blind to the logits' scale, in the ball, counted."""

import numpy as np
import pytest
from linear_model import DUAL, GREYS, answers, linear

from robust_keras import engine
from robust_keras.attacks import PGD, MarginPGD, ThreatModel

pytestmark = pytest.mark.usefixtures("graphs_as_written")


def evaluate(classifier, attacks, norm, epsilon, batch_size=60, seed=0):
    settings = {"batch_size": batch_size, "seed": seed}
    threat_model = ThreatModel(norm, (epsilon,))
    return engine.evaluate(
        classifier, GREYS, answers(classifier), attacks, threat_model, **settings
    )


@pytest.mark.parametrize("norm", DUAL)
def test_scale_changes_nothing_and_blinds_cross_entropy(norm):
    model, epsilon = linear(2), {"linf": 0.02, "l2": 0.06}[norm]
    robust = model.margins(GREYS, answers(model), epsilon, norm) > 0
    assert 10 < robust.sum() < 50
    attack = MarginPGD(steps=30)
    for scale in (0.01, 1.0, 1e5):
        model.scale.assign(scale)
        found = evaluate(model, [attack, PGD(steps=30)], norm, epsilon)
        np.testing.assert_array_equal(found.attacks[0].robust[0], robust)
    assert found.attacks[1].robust.sum() > robust.sum() + 3


@pytest.mark.parametrize("norm", DUAL)
def test_nothing_leaves_the_ball_or_the_pixel_range(norm):
    images = np.random.default_rng(1).integers(0, 3, (60, 3, 4, 1)).astype("float32") / 2
    model, epsilon = linear(5), {"linf": 0.2, "l2": 0.7}[norm]
    threat_model = ThreatModel(norm, (epsilon,))
    random = engine.generators(0, "margin_pgd", epsilon, 0, range(60))
    labels = np.argmax(model.logits(images), axis=1)
    settings = {"threat_model": threat_model, "epsilon": epsilon, "generators": random}
    found = MarginPGD(steps=9).propose(model, images, labels, **settings).images
    assert found.min() >= 0 and found.max() <= 1
    distances = threat_model.distances(images, found)
    assert distances.max() <= epsilon * (1 if norm == "linf" else 1 + 1e-5)


def test_every_pass_is_counted_and_the_batch_size_changes_nothing():
    model, attack = linear(4), MarginPGD(steps=9, restarts=2)
    before = int(model.seen)
    one = evaluate(model, [attack], "linf", 0.02, batch_size=1)
    (result,) = one.attacks
    passes = result.gradient_evaluations + result.forward_evaluations
    assert int(model.seen) - before == passes + 120, "with the clean pass and the labels"
    survivors = int(result.robust.sum())
    assert 0 < survivors < 60 and result.gradient_evaluations >= survivors * 20
    other = evaluate(model, [attack], "linf", 0.02, batch_size=17)
    np.testing.assert_array_equal(one.worst_case, other.worst_case)


@pytest.mark.parametrize(
    "settings", [{"steps": 0}, {"step": 0.0}, {"step": 1.5}, {"restarts": 0}, {"steps": 1.0}]
)
def test_bad_settings_are_refused(settings):
    (name,) = settings
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        MarginPGD(**settings)

"""Carlini-Wagner: the closed form on linear models, beside DeepFool, counted, free of the scale."""

import numpy as np
import pytest
import small_network
from linear_model import GREYS, answers, linear

from robust_keras import compiled, engine
from robust_keras.attacks import CarliniWagner, DeepFool, ThreatModel
from robust_keras.attacks.loops import tanh_descent
from robust_keras.errors import InputError

pytestmark = pytest.mark.usefixtures("graphs_as_written")

L2 = ThreatModel("l2", (0.5,))
FEW = {"steps": 300}


def propose(attack, model, images=GREYS, labels=None):
    labels = np.argmax(model.logits(images), axis=1) if labels is None else labels
    settings = {"threat_model": L2, "epsilon": 0.5, "generators": None}
    return attack.propose(model, images, labels, **settings)


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize("num_classes", [2, 6])
def test_the_smallest_change_of_a_linear_model_is_found_whatever_the_scale(num_classes, scale):
    model = linear(num_classes)
    labels = answers(model)
    model.scale.assign(scale)
    found = propose(CarliniWagner(**FEW), model).images
    assert np.all(np.argmax(model.logits(found), axis=1) != labels)
    norms = np.linalg.norm(model.weights[:, labels, None] - model.weights[:, None], axis=0)
    logits = GREYS.reshape(60, 12).astype(np.float64) @ model.weights
    leads = logits[np.arange(60), labels][:, None] - logits
    others = norms > 0
    exact = np.min(leads / np.where(others, norms, np.nan), axis=1, where=others, initial=9.0)
    reached = L2.distances(GREYS, found)
    assert np.all(reached > exact - 1e-5)
    near = np.isclose(reached, exact, rtol=0.03, atol=2e-3)
    # The margin follows the likeliest other class, which is not always the nearest.
    assert near.all() if num_classes == 2 else near.mean() > 0.9


def test_it_finds_no_larger_changes_than_deepfool():
    images, labels = small_network.sample(40, num_classes=2)
    model = small_network.network(2)
    ours, other = (
        L2.distances(images, propose(attack, model, images, labels).images)
        for attack in (CarliniWagner(**FEW), DeepFool())
    )
    assert np.all(ours <= 1.03 * other)
    assert ours.mean() < 1.005 * other.mean()


def test_constants_rise_until_fooled_and_are_bisected_then():
    from robust_keras.attacks.cw import _Constants

    constants = _Constants(2, 0.1)
    seen = []
    for fooled in ([0, 1], [0, 0], [1, 1], [0, 0]):
        constants.narrow(np.array(fooled, bool))
        seen.append(constants.value.tolist())
    expected = [[1.0, 0.05], [10.0, 0.075], [5.5, 0.0625], [7.75, 0.06875]]
    np.testing.assert_allclose(seen, expected)


def test_every_pass_is_counted_stalled_images_wait_and_batches_do_not_matter():
    model, labels = linear(4), answers(linear(4))
    attack = CarliniWagner(steps=20, searches=3)
    one, two = (
        engine.evaluate(model, GREYS, labels, [attack], L2, batch_size=size, seed=0).attacks[0]
        for size in (60, 17)
    )
    np.testing.assert_array_equal(one.robust, two.robust)
    before = int(model.seen)
    settings = {"batch_size": 1, "seed": 0}
    (two,) = engine.evaluate(model, GREYS, labels, [attack], L2, **settings).attacks
    passes = two.gradient_evaluations + two.forward_evaluations
    assert int(model.seen) - before == passes + 60
    assert two.gradient_evaluations <= 60 * 60
    long = propose(CarliniWagner(steps=1000, searches=2), model)
    assert long.gradient_evaluations.max() < 2000, "the early end"
    assert len(np.unique(long.gradient_evaluations)) > 1


def test_nothing_is_traced_twice_and_nothing_leaves_the_pixel_range():
    model = linear(3)
    images = np.random.default_rng(1).integers(0, 3, (20, 3, 4, 1)).astype("float32") / 2
    for rows, steps in ((20, 30), (7, 45)):
        found = propose(CarliniWagner(steps=steps, searches=5), model, images[:rows]).images
        assert found.min() >= 0 and found.max() <= 1
        assert np.any(found != images[:rows])
    graph = compiled.graph(model, tanh_descent.TanhDescent, model.image_shape)
    assert graph.descend.experimental_get_tracing_count() == 1


def test_it_is_for_l2_alone():
    with pytest.raises(InputError, match="norm: expected l2 for the attack cw; received linf"):
        CarliniWagner().check_threat_model(ThreatModel("linf", (0.1,)))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"steps": 0}, "`steps`"),
        ({"searches": 0}, "`searches`"),
        ({"constant": 0.0}, "`constant`"),
        ({"learning_rate": 2.0}, "`learning_rate`"),
    ],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(ValueError) as caught:
        CarliniWagner(**settings)
    assert text in str(caught.value)

"""DeepFool: exact on linear models, against a numpy reference, counted, free of batch and scale."""

import keras
import numpy as np
import pytest
import small_network
from linear_model import DUAL, GREYS, answers, linear

from robust_keras import compiled, engine, serving
from robust_keras.attacks import JSMA, CarliniWagner, DeepFool, ThreatModel, deepfool

pytestmark = pytest.mark.usefixtures("graphs_as_written")

ORDER = {"linf": np.inf, "l2": 2}


def propose(attack, model, norm, images=GREYS, labels=None):
    labels = np.argmax(model.logits(images), axis=1) if labels is None else labels
    settings = {"threat_model": ThreatModel(norm, (0.1,)), "epsilon": 0.1, "generators": None}
    return attack.propose(model, images, labels, **settings)


def distances(norm, images, found):
    return ThreatModel(norm, (1.0,)).distances(images, found)


def reference(model, image, label, norm):
    """One DeepFool step on a linear model, written out."""
    logits = image.reshape(-1).astype(np.float64) @ model.weights
    ways = {}
    for k in set(range(model.num_classes)) - {label}:
        f, w = logits[label] - logits[k], model.weights[:, label] - model.weights[:, k]
        r = -f * w / (w @ w) if norm == "l2" else -f * np.sign(w) / np.abs(w).sum()
        distance = f / np.linalg.norm(w, DUAL[norm])
        # As in the authors' code.
        ways[distance] = r * (distance + 1e-4) / distance
    return image + 1.02 * ways[min(ways)].reshape(image.shape)


@pytest.mark.parametrize("norm", DUAL)
def test_one_step_crosses_the_boundary_of_two_linear_classes_at_the_exact_distance(norm):
    model = linear(2)
    found = propose(DeepFool(), model, norm)
    labels = answers(model)
    assert np.all(np.argmax(model.logits(found.images), axis=1) != labels)
    weights = model.weights[:, 0] - model.weights[:, 1]
    leads = np.abs(GREYS.reshape(60, 12).astype(np.float64) @ weights)
    exact = leads / np.linalg.norm(weights, DUAL[norm])
    expected = 1.02 * (exact + 1e-4)
    np.testing.assert_allclose(distances(norm, GREYS, found.images), expected, rtol=1e-4)
    assert np.all(found.gradient_evaluations == 1) and np.all(found.forward_evaluations == 2)


@pytest.mark.parametrize("norm", DUAL)
@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
def test_with_more_classes_it_is_the_published_step_whatever_the_scale(norm, scale):
    model = linear(6)
    model.scale.assign(scale)
    found = propose(DeepFool(), model, norm).images
    pairs = zip(GREYS, answers(model), strict=True)
    expected = [reference(model, image, label, norm) for image, label in pairs]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("norm", DUAL)
def test_a_trained_network_is_fooled_on_every_image_within_the_pixel_range(norm):
    images, labels = small_network.sample()
    model = small_network.network()
    found = propose(DeepFool(), model, norm, images, labels)
    assert np.all(np.argmax(model.logits(found.images), axis=1) != labels)
    assert found.images.min() >= 0 and found.images.max() <= 1
    steps = found.gradient_evaluations / 9
    assert steps.max() < 50 and len(np.unique(steps)) > 1, "images stop when they are fooled"
    # A shorter run stands where the longer one was.
    short = propose(DeepFool(steps=int(np.median(steps))), model, norm, images, labels).images
    done = steps <= np.median(steps)
    assert done.any() and not done.all()
    np.testing.assert_allclose(short[done], found.images[done], atol=1e-6)


def test_fewer_classes_cost_less_and_find_less():
    images, labels = small_network.sample()
    model = small_network.network()
    all_, two = (propose(DeepFool(classes=n), model, "l2", images, labels) for n in (10, 2))
    assert np.all(two.gradient_evaluations == two.forward_evaluations - 1)
    shares = [distances("l2", images, found.images).mean() for found in (all_, two)]
    assert shares[0] <= shares[1] + 1e-6


def test_every_pass_is_counted_and_results_do_not_depend_on_the_batch():
    model, labels = linear(4), answers(linear(4))
    before = int(model.seen)
    settings = {"seed": 0, "batch_size": 1}
    threat_model = ThreatModel("linf", (0.02, 0.05))
    (one,) = engine.evaluate(model, GREYS, labels, [DeepFool()], threat_model, **settings).attacks
    # A step is one forward pass with the three gradients, and one that looks at the result.
    steps = one.gradient_evaluations // 3
    assert int(model.seen) - before == steps + one.forward_evaluations + 60
    settings["batch_size"] = 17
    (two,) = engine.evaluate(model, GREYS, labels, [DeepFool()], threat_model, **settings).attacks
    np.testing.assert_array_equal(one.robust, two.robust)
    assert one.gradient_evaluations == two.gradient_evaluations
    robust = model.margins(GREYS, labels, 0.05, "linf") > 0
    assert np.all(one.robust[1] >= robust) and np.sum(one.robust[1] & ~robust) <= 4


def test_without_a_gradient_nothing_moves_and_nothing_is_traced_twice():
    model = linear(3)
    model.scale.assign(0.0)
    labels = np.zeros(60, int)
    found = propose(DeepFool(steps=3), model, "l2", GREYS, labels).images
    np.testing.assert_array_equal(found, GREYS)
    model.scale.assign(1.0)
    propose(DeepFool(steps=5, classes=2), model, "l2", GREYS[:7])
    graph = compiled.graph(model, deepfool.Crossing, model.image_shape, "l2")
    assert graph.search.experimental_get_tracing_count() == 1


def test_a_saved_model_in_colour_can_be_attacked(tmp_path):
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.BatchNormalization()]
    layers += [keras.layers.Flatten(), keras.layers.Dense(30)]
    network = keras.Sequential([keras.Input((6, 5, 3)), *layers])
    model = serving.load(str(serving.export(network, tmp_path)))
    images = np.random.default_rng(0).uniform(size=(9, 6, 5, 3)).astype("float32")
    labels = np.argmax(model.logits(images), axis=1)
    settings = {"batch_size": 4, "seed": 0}
    for norm, attack in (("linf", JSMA()), ("l2", DeepFool()), ("l2", CarliniWagner(steps=40))):
        model_of_threat = ThreatModel(norm, (0.9,))
        found = engine.evaluate(model, images, labels, [attack], model_of_threat, **settings)
        assert found.worst_case.mean() < 0.2


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"steps": 0}, "`steps`"), ({"classes": 1}, "at least 2"), ({"overshoot": -1}, "`overshoot`")],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(ValueError) as caught:
        DeepFool(**settings)
    assert text in str(caught.value)

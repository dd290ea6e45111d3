"""JSMA: its pairs against all pairs, its path against a numpy reference, its limits and price."""

import numpy as np
import pytest
import small_network
import tensorflow as tf
from linear_model import GREYS, answers, linear

from robust_keras import compiled, engine
from robust_keras.attacks import JSMA, ThreatModel, jsma
from robust_keras.attacks.loops.saliency_pairs import best_pairs

pytestmark = pytest.mark.usefixtures("graphs_as_written")


def propose(attack, model, epsilon=1.0, images=GREYS, labels=None):
    labels = np.argmax(model.logits(images), axis=1) if labels is None else labels
    settings = {"threat_model": ThreatModel("linf", (epsilon,)), "epsilon": epsilon}
    return attack.propose(model, images, labels, **settings, generators=None)


def published_pair(gains, losses, open_):
    """The best of all pairs: the published rule, and its score."""
    best, score = None, 0.0
    for p in range(len(gains)):
        for q in range(p + 1, len(gains)):
            alpha, beta = gains[p] + gains[q], losses[p] + losses[q]
            if open_[p] and open_[q] and alpha > 0 > beta and -alpha * beta > score:
                best, score = (p, q), -alpha * beta
    return best, score


@pytest.mark.parametrize("correlation", [-0.99, -0.6, 0.0, 0.6, 0.99])
def test_the_pair_is_the_best_of_all_pairs(correlation):
    random = np.random.default_rng(round(100 * correlation) + 200)
    gains = random.normal(size=(30, 24)).astype("float32") * 10.0 ** random.uniform(-9, 9, (30, 1))
    noise = random.normal(size=(30, 24))
    losses = correlation * gains + np.abs(gains).mean() * (1 - correlation**2) ** 0.5 * noise
    gains, losses = gains.astype("float32"), losses.astype("float32")
    open_ = random.uniform(size=(30, 24)) < random.uniform(0, 1, (30, 1))
    pairs, found = best_pairs(*map(tf.constant, (gains, losses, open_)), 24)
    for row in range(30):
        rows = gains[row].astype(float), losses[row].astype(float), open_[row]
        expected, score = published_pair(*rows)
        assert found[row].numpy() == (expected is not None)
        if expected:
            p, q = pairs[row].numpy()
            ours = -(rows[0][p] + rows[0][q]) * (rows[1][p] + rows[1][q])
            assert open_[row, p] and open_[row, q] and p != q
            assert ours == pytest.approx(score, rel=1e-5)


def test_few_candidates_are_enough_for_many_pixels():
    random = np.random.default_rng(0)
    gains, losses = random.normal(size=(2, 8, 300)).astype("float32")
    open_ = np.ones((8, 300), bool)
    pairs, found = best_pairs(*map(tf.constant, (gains, losses, open_)), 40)
    assert found.numpy().all()
    for row in range(8):
        expected, _ = published_pair(gains[row], losses[row], open_[row])
        assert sorted(pairs[row].numpy()) == list(expected)


def reference(model, image, label, epsilon, steps):
    """The published loop on a linear model; theta is 1, so a pixel is used once."""
    logits = image.reshape(-1) @ model.weights
    target = np.argsort(-logits)[1]
    gains = model.weights[:, target]
    losses = model.weights.sum(axis=1) - gains
    point, highest = image.reshape(-1).copy(), np.minimum(image.reshape(-1) + epsilon, 1.0)
    for _ in range(steps):
        pair, _ = published_pair(gains, losses, point < highest)
        if pair is None or np.argmax(point @ model.weights) != label:
            break
        point[list(pair)] = highest[list(pair)]
    return point.reshape(image.shape)


@pytest.mark.parametrize("epsilon", [0.1, 0.3, 1.0])
def test_the_path_is_the_published_one(epsilon):
    model = linear(4)
    labels = answers(model)
    found = propose(JSMA(share=0.7), model, epsilon)
    pairs = zip(GREYS, labels, strict=True)
    expected = [reference(model, image, label, epsilon, 4) for image, label in pairs]
    np.testing.assert_allclose(found.images, expected, atol=1e-6)
    fooled = np.argmax(model.logits(found.images), axis=1) != labels
    assert fooled.sum() > 10
    np.testing.assert_array_equal(found.gradient_evaluations, 2 * (found.forward_evaluations - 1))


def test_few_pixels_of_a_trained_network_are_changed_and_many_images_fall():
    images, labels = small_network.sample()
    model = small_network.network()
    found = propose(JSMA(), model, 1.0, images, labels)
    changed = (found.images != images).sum(axis=(1, 2, 3))
    assert changed.max() <= 2 * int(0.145 * 49 / 2)
    assert np.all(found.images >= images) and found.images.max() <= 1
    fooled = np.argmax(model.logits(found.images), axis=1) != labels
    more = propose(JSMA(targets=9), model, 1.0, images, labels)
    by_more = np.argmax(model.logits(more.images), axis=1) != labels
    assert fooled.mean() > 0.5 and np.all(by_more >= fooled) and by_more.sum() > fooled.sum()
    gentle = propose(JSMA(theta=0.2, share=0.5), model, 1.0, images, labels).images - images
    assert np.all(np.isclose(gentle % 0.2, 0, atol=1e-5) | (gentle > 0)) and gentle.max() > 0.3


def test_results_do_not_depend_on_the_batch_and_nothing_is_traced_twice():
    model, labels = linear(4), answers(linear(4))
    threat_model = ThreatModel("linf", (0.02, 0.06))
    one, two = (
        engine.evaluate(
            model, GREYS, labels, [JSMA(share=0.7)], threat_model, batch_size=size, seed=0
        ).attacks[0]
        for size in (60, 17)
    )
    np.testing.assert_array_equal(one.robust, two.robust)
    assert 0 < one.robust[1].sum() < one.robust[0].sum()
    assert one.gradient_evaluations == two.gradient_evaluations
    graph = compiled.graph(model, jsma.SaliencyMap, model.image_shape)
    assert graph.search.experimental_get_tracing_count() == 1


@pytest.mark.parametrize(
    ("settings", "text"),
    [({"theta": 0.0}, "`theta`"), ({"share": 1.1}, "`share`"), ({"targets": 0}, "`targets`")],
)
def test_bad_settings_are_refused(settings, text):
    with pytest.raises(ValueError) as caught:
        JSMA(**settings)
    assert text in str(caught.value)

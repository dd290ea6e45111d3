"""Smallest epsilons: exact on linear models, backed by examples, in the report and on its page."""

import dataclasses
import itertools

import numpy as np
import pytest
import report_samples as samples
import small_network
from digits import digits
from linear_model import DUAL, GREYS, answers, linear

from robust_keras import findings, reporting
from robust_keras.attacks import (
    FGSM,
    PGD,
    APGDTargeted,
    CarliniWagner,
    DeepFool,
    FABTargeted,
    Quick,
    Square,
    ThreatModel,
    UniformNoise,
)
from robust_keras.engine.minimal_epsilon import minimal_epsilons
from robust_keras.engine.minimal_search import between
from robust_keras.errors import InputError
from robust_keras.reporting import boxes, html, theme
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig

pytestmark = pytest.mark.usefixtures("graphs_as_written")

IMAGES = GREYS[:24]
LARGEST = {"linf": 0.1, "l2": 0.4}


def search(model, attack, norm="linf", images=IMAGES, labels=None, **settings):
    labels = np.argmax(model.logits(images), axis=1) if labels is None else labels
    largest = LARGEST[norm]
    settings = {"largest": largest, "tolerance": largest / 16, "batch_size": 60} | settings
    return minimal_epsilons(model, images, labels, attack, norm=norm, seed=0, **settings)


def exact(model, labels, norm):
    """The distance of the nearest boundary of a linear model, float64 (images,)."""
    lost = np.linalg.norm(
        model.weights[:, labels, None] - model.weights[:, None], DUAL[norm], axis=0
    )
    logits = IMAGES.reshape(24, 12).astype(np.float64) @ model.weights
    leads = logits[np.arange(24), labels][:, None] - logits
    return np.min(leads / np.where(lost > 0, lost, np.nan), axis=1, where=lost > 0, initial=9.0)


def check(found, model, images):
    """Every epsilon is the distance of a misclassified image within the pixel range."""
    there = np.isfinite(found.epsilons) & (found.epsilons > 0)
    threat_model = ThreatModel(found.norm, (found.largest,))
    distances = threat_model.distances(images, found.examples)
    np.testing.assert_array_equal(found.epsilons[there], distances[there])
    classes = np.argmax(model.logits(found.examples), axis=1)
    assert np.all(classes[there] != found.labels[there])
    assert found.examples.min() >= 0 and found.examples.max() <= 1
    assert found.epsilons[there].max() <= found.largest
    np.testing.assert_array_equal(found.examples[~there], images[~there])
    return there


@pytest.mark.parametrize(
    ("attack", "num_classes", "norm"),
    [
        (APGDTargeted(steps=15, targets=5), 6, "linf"),
        (FABTargeted(steps=20), 6, "l2"),
        (CarliniWagner(steps=100, searches=8), 2, "l2"),
        (Quick(steps=10, queries=2), 2, "l2"),
    ],
)
def test_it_is_the_distance_to_the_boundary_of_a_linear_model(attack, num_classes, norm):
    model = linear(num_classes)
    labels = answers(model)[:24]
    found = search(model, attack, norm)
    there = check(found, model, IMAGES)
    right = exact(model, labels, norm)
    assert 10 < there.sum()
    np.testing.assert_array_equal(there, right < found.largest)
    beyond = found.epsilons[there] - right[there]
    assert beyond.min() > -1e-6 and beyond.max() < 1.1 * found.tolerance
    assert found.gradient_evaluations > 24


def test_a_network_of_digits_and_images_it_gets_wrong():
    images, labels = small_network.sample(20)
    labels = labels.copy()
    labels[:4] = (labels[:4] + 1) % 10
    model = small_network.network()
    pgd, noise, fool = (
        search(model, attack, "linf", images, labels, largest=0.3, tolerance=0.02)
        for attack in (PGD(steps=5), UniformNoise(repeats=2), DeepFool())
    )
    assert np.all(pgd.epsilons[:4] == 0) and np.all(pgd.epsilons[4:] > 0)
    for found in (pgd, noise, fool):
        check(found, model, images)
    assert np.mean(noise.epsilons >= pgd.epsilons - pgd.tolerance) == 1
    assert np.isinf(noise.epsilons).any() and noise.found < pgd.found == fool.found == 1
    # DeepFool proposes once, then its changes are drawn in.
    settings = {"threat_model": ThreatModel("linf", (0.3,)), "epsilon": 0.3, "generators": None}
    once = DeepFool().propose(model, images[4:], labels[4:], **settings)
    assert fool.gradient_evaluations == once.gradient_evaluations.sum()
    assert np.median(fool.epsilons[4:] / pgd.epsilons[4:]) < 1.5
    quantiles = pgd.quantiles()
    assert quantiles[0] == 0 and list(quantiles) == sorted(quantiles)
    assert set(quantiles) <= set(pgd.epsilons.tolist())


@pytest.mark.parametrize("norm", LARGEST)
def test_a_single_step_is_raised_until_the_class_changes(norm):
    images, labels = small_network.sample(40)
    model, largest, tolerance = small_network.network(), 4 * LARGEST[norm], LARGEST[norm] / 4
    found = search(model, FGSM(), norm, images, labels, largest=largest, tolerance=tolerance)
    check(found, model, images)
    expected = np.where(np.argmax(model.logits(images), axis=1) == labels, np.inf, 0.0)
    threat_model, tried = ThreatModel(norm, (largest,)), 0
    for radius in tolerance * np.arange(1, 17):
        left = np.flatnonzero(np.isinf(expected))
        settings = {"threat_model": threat_model, "epsilon": radius, "generators": None}
        moved = FGSM().propose(model, images[left], labels[left], **settings).images
        fell = np.argmax(model.logits(moved), axis=1) != labels[left]
        distances = threat_model.distances(images[left], moved)
        expected[left[fell]], tried = distances[fell], tried + len(left)
    assert found.gradient_evaluations == tried
    np.testing.assert_array_equal(np.isfinite(found.epsilons), np.isfinite(expected))
    there = np.isfinite(expected) & (expected > 0)
    assert 10 < there.sum()
    assert np.all(found.epsilons[there] <= expected[there] + 1e-6)
    assert np.all(found.epsilons[there] > expected[there] - tolerance)


def test_results_do_not_depend_on_the_batch_size_or_the_progress():
    model, seen = linear(4), []
    attack = Square(queries=30)
    one, other = (
        search(model, attack, batch_size=size, progress=lambda *news: seen.append(news))
        for size in (24, 9)
    )
    np.testing.assert_array_equal(one.epsilons, other.epsilons)
    np.testing.assert_array_equal(one.examples, other.examples)
    assert one.gradient_evaluations == 0
    shares = [done / total for done, total in seen]
    halves = shares[: shares.index(1.0) + 1], shares[shares.index(1.0) + 1 :]
    assert all(list(half) == sorted(half) and half[-1] == 1.0 for half in halves)


def test_radii_lie_in_the_middle_half_and_are_shared():
    random = np.random.default_rng(0)
    lowest = random.uniform(0, 0.9, 500)
    highest = lowest + 0.01 + random.uniform(0, 1, 500) ** 4
    radii = between(lowest, highest, 0.01)
    quarter = (highest - lowest) / 4
    assert np.all((radii >= lowest + quarter) & (radii <= highest - quarter))
    np.testing.assert_allclose(radii / 0.005, np.rint(radii / 0.005), atol=1e-9)
    assert len(np.unique(radii)) < 150
    # An image's radius depends on nothing but itself.
    for row in range(0, 500, 50):
        alone = between(lowest[row : row + 1], highest[row : row + 1], 0.01)
        assert alone[0] == radii[row]


def test_bad_arguments_are_refused():
    model = linear(3)
    for settings, text in [
        ({"largest": 0.0}, "`largest` must be"),
        ({"tolerance": 0.2}, "`tolerance` must be"),
        ({"tolerance": 0.0}, "`tolerance` must be"),
        ({"batch_size": 0}, "`batch_size`"),
    ]:
        with pytest.raises(ValueError, match=text):
            search(model, PGD(), **settings)
    with pytest.raises(InputError, match="norm: expected l2 for the attack cw; received linf"):
        search(model, CarliniWagner())
    model.gradient_error = "lost"
    with pytest.raises(InputError, match=r"expected an attack without gradients \(lost\)"):
        search(model, PGD())
    assert search(model, Quick(steps=5, queries=5)).gradient_evaluations == 0


def report(**changes):
    return samples.report(samples.sound_model(minimal_epsilon=samples.minimal_epsilon(**changes)))


def test_it_survives_json_and_is_on_the_page():
    made = report()
    again = reporting.Report.from_json(made.to_json())
    assert again == made
    assert again.models[0].minimal_epsilon.quantiles[-1] is None
    page = html.render(made).replace("\xa0", " ")
    for words in (
        "Half of the images change class within epsilon 0.09.",
        "For 3.5 % nothing was found up to 0.3 (linf).",
        "How little changes the class",
        "above 0.3",
        "quick: steps 100",
    ):
        assert words in page
    assert "How little" not in html.render(samples.report())
    hard = report(quantiles=(0.2, None, None, None, None), found=0.1)
    assert "10.0 % of the images change class" in html.render(hard).replace("\xa0", " ")


@pytest.mark.parametrize("size", [theme.WIDE, theme.PAGE], ids=["wide", "page"])
@pytest.mark.parametrize("count", [2, 10, 100])
def test_no_text_of_the_figure_is_cut_or_covers_another(size, count):
    made = report(count=count)
    figure = boxes.of_model(made, made.models[0])(size=size, title="A title")
    figure.canvas.draw()
    (axes,) = figure.axes
    ticks = [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label]
    texts = [text for text in (*figure.texts, *ticks) if text.get_text()]
    found = [text.get_window_extent(figure.canvas.get_renderer()) for text in texts]
    for text, box in zip(texts, found, strict=True):
        inside = (box.x0 >= 0, box.y0 >= 0, box.x1 <= figure.bbox.x1, box.y1 <= figure.bbox.y1)
        assert all(inside), text.get_text()
    assert not any(a.overlaps(b) for a, b in itertools.combinations(found, 2))
    assert len(axes.patches) == min(count, boxes.MOST_CLASSES) + 1


def few(label, *epsilons):
    return findings.ClassEpsilons(
        label=label, images=len(epsilons), quantiles=(None,) * 5, epsilons=epsilons
    )


@pytest.mark.parametrize(
    ("classes", "points", "drawn"),
    [
        ([few(0, 0.1, 0.2, None), few(1, 0.05)], [4, 3, 1], 0),
        ([few(0, *[0.1] * 7), few(1, 0.05, 0.1)], [7, 2], 1),
    ],
)
def test_few_images_are_points_and_every_name_has_its_number(classes, points, drawn):
    made = report(classes=classes)
    (axes,) = boxes.of_model(made, made.models[0])().axes
    assert [len(c.get_offsets()) for c in axes.collections] == points
    assert len(axes.patches) == drawn
    numbers = [sum(c.images for c in classes), *(c.images for c in classes)]
    assert [t.get_text().rpartition(" ")[2] for t in axes.get_yticklabels()] == [
        f"(n={number})" for number in numbers
    ]
    assert reporting.Report.from_json(made.to_json()) == made


def test_a_class_of_few_images_keeps_every_epsilon():
    found = dataclasses.replace(
        search(linear(4), Square(queries=5)),
        labels=np.array([0] * 9 + [1] * 2),
        epsilons=np.array([0.1] * 9 + [np.inf, 0.05]),
    )
    made = findings.MinimalEpsilonReport.of(found)
    assert [c.epsilons for c in made.classes] == [(), (0.05, None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"quantiles": (0.1, 0.2, 0.3)},
        {"quantiles": (0.1, 0.2, 0.15, 0.2, 0.3)},
        {"quantiles": (None, 0.1, 0.2, 0.25, 0.3)},
        {"quantiles": (0.1, 0.2, 0.25, 0.3, 0.31)},
        {"found": 1.2},
        {"attack": ""},
        {"classes": [few(0, 0.1, 0.4)]},
    ],
)
def test_senseless_reports_are_refused(changes):
    with pytest.raises(ValueError, match="must"):
        samples.minimal_epsilon(**changes)


def test_evaluate_searches_when_asked(tmp_path):
    import keras

    images, labels = digits(side=7)
    keras.Sequential([keras.Input((7, 7, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]).save(
        tmp_path / "model.keras"
    )
    parts = {"x_train": images[:20], "y_train": labels[:20]}
    np.savez(tmp_path / "data.npz", **parts, x_test=images[20:60], y_test=labels[20:60])
    config = EvaluateConfig(
        models=(str(tmp_path / "model.keras"),),
        dataset=str(tmp_path / "data.npz"),
        attacks=("fgsm",),
        epsilons=(0.1, 0.2),
        minimal_epsilon=True,
        minimal_attack="deepfool",
        norm="l2",
        minimal_largest=3.0,
    )
    made, *_ = evaluation.evaluate(config)
    (model,) = made.models
    found = model.minimal_epsilon
    assert (found.attack, found.largest, found.tolerance) == ("deepfool", 3.0, 3.0 / 128)
    assert sum(c.images for c in found.classes) == 40
    # An untrained model gets most images wrong, which counts as 0.
    assert found.quantiles[2] == 0 and found.found > 0.8
    assert model.seconds >= found.seconds > 0
    assert reporting.Report.from_json(made.to_json()).models[0] == model


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"minimal_attack": "cw"}, "--minimal_attack: expected quick without --minimal_epsilon"),
        ({"minimal_epsilon": True, "epsilons": (0.0,)}, "--epsilons: expected one above 0"),
        ({"minimal_largest": 0.3}, "--minimal_largest: expected nothing without --minimal_epsilon"),
        (
            {"minimal_largest": 2.0, "minimal_epsilon": True},
            "--minimal_largest: expected at most 1 with --norm=linf; received 2.0",
        ),
    ],
)
def test_flags_that_do_not_fit_are_refused(settings, text):
    with pytest.raises(InputError) as caught:
        EvaluateConfig(models=("a",), **settings)
    assert text in str(caught.value)

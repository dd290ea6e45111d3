"""--certify: what is proved is not attacked, stands below what attacks leave, and is told."""

import csv
import json

import keras
import numpy as np
import pytest
from small_classifier import digits, network

import robust_keras
from robust_keras import serving
from robust_keras.errors import InputError
from robust_keras.notes import keras_twin

EPSILONS = (0.01, 0.03, 0.1)


def attacked(model, attacks="pgd", **settings):
    images, labels = (values[::250] for values in digits())
    quiet = {"epsilons": EPSILONS, "batch_size": 20, "progress": False, "attacks": attacks}
    return robust_keras.evaluate(model, images, labels, **(quiet | settings))


@pytest.fixture(scope="module")
def proved():
    return attacked(network(), certify="bounds,smoothing", smoothing_samples=200)


def test_the_truth_lies_between_what_is_proved_and_what_attacks_leave(proved, tmp_path):
    (model,), (plain,) = proved.models, attacked(network()).models
    certified = model.certified
    assert (certified.norm, certified.method, certified.epsilons) == ("linf", "bounds", EPSILONS)
    assert 0.0 < certified.accuracy[1] < model.clean_accuracy
    assert all(np.array(certified.accuracy) <= model.worst_case.accuracy)
    # The others fall as they did; the proved ones cost nothing.
    assert model.worst_case.accuracy == plain.worst_case.accuracy
    assert model.attacks[0].gradient_evaluations < plain.attacks[0].gradient_evaluations
    assert plain.certified is None and plain.smoothed is None
    proved.save(tmp_path / "report")
    kept = json.loads((tmp_path / "report" / "report.json").read_text())["models"][0]["certified"]
    assert kept["proved"] == [round(20 * share) for share in certified.accuracy]
    with open(tmp_path / "report" / "examples.csv", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    largest = np.array([float(row["proved"] or 0.0) for row in rows])
    for epsilon, share in zip(EPSILONS, certified.accuracy, strict=True):
        assert np.mean(largest >= epsilon) == pytest.approx(share)
    assert all(not row["attack"] for row in rows if row["proved"] == repr(EPSILONS[-1]))
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "What is proved" in page and "Proved under noise" in page
    assert "Proved for" in proved.summary()


def test_a_headline_with_a_proof_names_both_numbers():
    summary = attacked(network(), certify=("bounds",), epsilons=(0.01,))
    page = robust_keras.reporting.verdict.verdict(summary.report, summary.models[0])
    assert page.headline.startswith(("Robust accuracy is between ", "Robust accuracy is exactly "))


def test_in_l2_the_lead_and_the_lipschitz_bound_prove():
    settings = {"norm": "l2", "certify": "lipschitz", "epsilons": (0.05, 0.2, 1.0)}
    result = attacked(network(), **settings)
    (model,), proved = result.models, result.models[0].certified
    assert (proved.norm, proved.method) == ("l2", "lipschitz")
    assert 0.2 < proved.accuracy[0] and proved.accuracy[2] == 0.0
    assert all(np.array(proved.accuracy) <= model.worst_case.accuracy)


@pytest.mark.parametrize("sweep", ("every", "bisection"))
def test_proved_images_are_not_attacked(sweep):
    classifier = serving.from_keras(network())
    images, labels = (values[:8] for values in digits())
    from robust_keras import engine
    from robust_keras.attacks import PGD, ThreatModel

    settings = {"batch_size": 8, "seed": 0, "sweep": sweep}
    model = ThreatModel("linf", (0.3, 0.5))
    proof = np.zeros((2, 8), bool)
    proof[0, :3] = proof[1, 0] = True
    plain = engine.evaluate(classifier, images, labels, [PGD()], model, **settings)
    found = engine.evaluate(classifier, images, labels, [PGD()], model, proved=proof, **settings)
    assert plain.clean_correct.all() and not plain.worst_case.any()
    np.testing.assert_array_equal(found.worst_case, proof)
    np.testing.assert_array_equal(found.per_image.proved, [0.5, 0.3, 0.3] + [np.nan] * 5)
    cost = [result.attacks[0].gradient_evaluations for result in (found, plain)]
    assert 0 < cost[0] < cost[1]


def test_smoothing_says_that_it_is_another_classifier(proved):
    smoothed = proved.models[0].smoothed
    assert smoothed.samples == 200 and smoothed.radii[0] == 0.0
    assert smoothed.accuracy[0] <= 1.0 - smoothed.abstained
    assert "another classifier than the model" in proved.summary()
    assert attacked(network(), certify="smoothing", smoothing_samples=200, norm="l2").models[
        0
    ].smoothed.accuracy == pytest.approx(smoothed.accuracy)


def test_an_export_is_proved_by_the_model_beside_it_and_by_no_other(tmp_path):
    run = tmp_path / "run"
    serving.export(network(), run / "serving")
    examples = serving.Examples(digits()[0][:8], digits()[1][:8], 10, "digits")
    exported = serving.load(run / "serving", examples=examples)
    with pytest.raises(InputError, match="a SavedModel alone"):
        keras_twin.keras_model(exported)
    network().save(run / "model.keras")
    assert isinstance(keras_twin.keras_model(exported), keras.Model)
    other = keras.models.clone_model(network())
    other.save(run / "model.keras")
    with pytest.raises(InputError, match="expected the weights of"):
        keras_twin.keras_model(exported)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"certify": "bounds", "norm": "l2"},
            "certify: expected lipschitz or smoothing with norm=l2",
        ),
        ({"certify": "magic"}, "certify"),
        ({"certify": ("none", "bounds")}, "none alone"),
        ({"certify": "smoothing", "smoothing_sigma": 0.0}, "smoothing_sigma"),
    ],
)
def test_what_fits_no_other_is_refused(settings, text):
    with pytest.raises(InputError, match=text):
        attacked(network(), **settings)


def test_a_layer_without_bounds_is_named_before_anything_is_attacked():
    layers = [keras.Input((14, 14, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "selu")]
    model = keras.Sequential([*layers[:2], keras.layers.Dense(10, "selu", name="mine"), layers[2]])
    with pytest.raises(InputError, match="layer 'mine'"):
        attacked(model, certify="bounds")

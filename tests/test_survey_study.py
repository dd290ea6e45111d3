"""What the survey's study measures that no report has: pairs, other models, first layers."""

import pathlib
import types

import keras
import numpy as np
import pytest

from robust_keras import serving
from robust_keras.data import ImageSplit
from robust_keras.studies import (
    answers,
    jsma_grid,
    other_models,
    survey,
    survey_tables,
    transfer_table,
    transferred,
)
from robust_keras.studies.known import Known, NotRunError
from robust_keras.studies.seen import Seen
from robust_keras.studies.study import Place
from robust_keras.studies.transferred import MODELS

CLASSES = 10


@pytest.fixture
def digits(monkeypatch):
    """Ten images with a network for them, which reads half, in place of every run."""
    random = np.random.default_rng(0)
    kernel = random.normal(size=(64, CLASSES))
    images = random.uniform(0.3, 0.7, (CLASSES, 8, 8, 1)).astype("float32")
    layers = [keras.Input(images.shape[1:]), keras.layers.Flatten(), keras.layers.Dense(CLASSES)]
    model = keras.Sequential(layers)
    model.set_weights([kernel, np.zeros(CLASSES)])
    ranked = np.argsort(-model(images).numpy(), axis=1)
    split = ImageSplit(images, np.where(np.arange(CLASSES) < 5, ranked[:, 0], ranked[:, 1]))
    network = serving.from_keras(model)
    monkeypatch.setattr(transfer_table, "loaded", lambda place, run: network)
    monkeypatch.setattr(transfer_table, "test_images", lambda place, images: split)
    return types.SimpleNamespace(split=split, network=network, kernel=kernel)


class Made:
    """What one seed found: texts of three images for a pair of networks."""

    def __init__(self, found):
        self._found = found

    def made(self, name):
        return self._found[name]


def crossed(own, other):
    """Texts for top 1 and top 5 of every pair of networks."""
    return {s: {t: [own, "111"] if s == t else [other, "111"] for t in MODELS} for s in MODELS}


def test_a_network_s_own_examples_are_compared_with_those_of_all_others():
    of = Made({"transfer": {"0.3": crossed("001", "011")}})
    np.testing.assert_allclose(transferred.own_beyond_others(0.3)(of), [0, 1, 0])
    assert not transferred.own_beyond_others(0.3, top=5)(of).any()
    texts = crossed("001", "011")
    texts["plain"]["elu"][0] = "000"
    of = Made({"transfer": {"0.3": texts}})
    pairs = len(MODELS) * (len(MODELS) - 1)
    expected = [0, (pairs - 1) / pairs, -1 / pairs]
    np.testing.assert_allclose(transferred.own_beyond_others(0.3)(of), expected)


def test_what_comes_from_outside_counts_together_and_the_network_itself_does_not():
    steps, long = crossed("000", "111"), crossed("000", "111")
    steps["plain"]["elu"][0], long["fc5"]["elu"][0] = "011", "110"
    of = Made({"transfer": {"0.3": steps}, "long": {"0.3": long}})
    np.testing.assert_array_equal(transferred.from_outside("elu")(of), [0, 1, 0])


def test_an_attack_s_examples_stay_in_the_ball_and_are_kept_with_both_accuracies(digits):
    epsilon, split = 0.001, digits.split
    make = transfer_table.table("fgsm", ["a-0"], ["a-0", "b-0"], [epsilon])
    made = make(Place("nowhere"), CLASSES)
    assert {e: {s: set(made[e][s]) for s in made[e]} for e in made} == {"0.001": {"a": {"a", "b"}}}
    changed = transfer_table.examples("fgsm", digits.network, split.images, split.labels, epsilon)
    # One step along the signs of a linear network's gradient.
    logits = np.asarray(digits.network.logits(split.images), float)
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    gradient = (shares - np.eye(CLASSES)[split.labels]) @ digits.kernel.T
    wanted = split.images + epsilon * np.sign(gradient).reshape(split.images.shape)
    np.testing.assert_allclose(changed, wanted, atol=1e-6)
    likeliest = np.asarray(digits.network.logits(changed)).argmax(axis=1)
    first, five = made["0.001"]["a"]["b"]
    assert first == answers.text(likeliest == split.labels) and first[5:] == "00000"
    assert "1" in first and five == "1" * CLASSES


def test_every_image_is_wanted_as_every_other_class_whether_it_is_read_or_not(digits):
    told = jsma_grid.reached("plain-0")(Place("nowhere"), CLASSES)
    answered = np.asarray(digits.network.logits(digits.split.images)).argmax(axis=1)
    others = [[c for c in range(CLASSES) if c != label] for label in digits.split.labels[:CLASSES]]
    assert list(map(len, told)) == [CLASSES - 1] * CLASSES
    reached = {
        (n, wanted)
        for n in range(CLASSES)
        for wanted, letter in zip(others[n], told[n], strict=True)
        if letter == "1"
    }
    # What is answered as it is needs no change; of 64 pixels eight may be changed for the others.
    assert reached > {(n, answered[n]) for n in range(5, CLASSES)}
    assert {n for n, _ in reached} > set(range(5, CLASSES))


def test_first_layers_of_one_training_do_not_differ_and_those_of_others_do(monkeypatch):
    random = np.random.default_rng(0)
    kernels = {
        "robust": random.laplace(size=(50, 40)),
        "plain": random.normal(size=(50, 40)),
        "again": random.normal(size=(50, 40)),
    }

    def trained(place, run):
        layer = types.SimpleNamespace(kernel=kernels[run])
        return types.SimpleNamespace(get_layer=lambda name: layer)

    monkeypatch.setattr(Place, "trained", trained)
    found = other_models.first_weights("robust", "plain", "again")(Place("nowhere"), 0)
    assert found["robust"] > 4 > found["plain"] and found["changed"] > 0.5 > found["chance"] > 0
    same = other_models.first_weights("plain", "plain", "plain")(Place("nowhere"), 0)
    assert same["changed"] == same["chance"] == 0


def test_another_model_is_asked_about_the_same_images_for_every_network(monkeypatch, digits):
    class Reader:
        """Reads the first half, and after a change the images of even number."""

        def predict(self, pixels):
            number = np.arange(len(pixels))
            clean = np.array_equal(pixels, digits.split.images.reshape(CLASSES, -1))
            return np.where(number < 5 if clean else number % 2 == 0, number, -1)

    shown = other_models._changed(digits.network, digits.split)
    split = ImageSplit(digits.split.images, np.arange(CLASSES))
    assert np.abs(shown["noise"] - digits.split.images).max() == pytest.approx(0.3)
    assert other_models._read(Reader(), split, shown) == {"examples": "10101", "noise": "10101"}


def test_the_table_of_step_ll_has_every_pair_once_at_both_epsilons():
    pairs = [pair for _, pair in survey_tables.STEP_LL.rows]
    assert len(set(pairs)) == len(pairs) == 16 and {"plain", "adversarial", "ensemble"} <= {
        name for pair in pairs for name in pair
    }
    found = {str(e): crossed("001", "011") for e in transferred.EPSILONS}
    columns = [column(("plain", "ensemble")) for _, column in survey_tables.STEP_LL.columns]
    told = [column(Made({"transfer": found})).sum() for column in columns]
    assert told == [2, 3, 2, 3]


def test_every_number_of_the_page_is_asked_of_a_run_of_the_small_form():
    study = survey.SURVEY
    runs = {step.name.rpartition("-")[0] for step in study.steps[: study.forms["small"].steps]}
    every = [column(row) for _, row in study.rows for _, column in study.columns]
    every += [column(r) for t in study.tables for _, r in t.rows for _, column in t.columns]
    for value in every:
        with pytest.raises(NotRunError) as asked:
            value(Seen(Known(pathlib.Path("nowhere")), 0))
        assert str(asked.value).partition(":")[0] in runs

"""The transfer table: exact on linear models, counted, in the report and from the command line."""

import keras
import numpy as np
import pytest
from linear_model import GREYS, Linear, answers
from test_report_html import words

from robust_keras import reporting
from robust_keras.attacks import PGD, CarliniWagner, MarginPGD, Quick, Square, ThreatModel
from robust_keras.engine.journal import Journal
from robust_keras.engine.transfer import transfer
from robust_keras.errors import InputError
from robust_keras.reporting import html
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig

pytestmark = pytest.mark.usefixtures("graphs_as_written")

THREAT_MODEL = ThreatModel("linf", (0.0, 0.02, 0.1))


def run(sources, targets, attack=None, threat_model=THREAT_MODEL, batch_size=60, **given):
    labels = answers(next(iter(targets.values())))
    settings = {"batch_size": batch_size, "seed": 0, **given}
    return transfer(sources, targets, GREYS, labels, attack or PGD(), threat_model, **settings)


@pytest.fixture(scope="module")
def pair():
    """A model, another one that is much like it, and one that has nothing to do with it."""
    one, near, far = Linear(5), Linear(5), Linear(5)
    noise = np.random.default_rng(1).normal(size=far.weights.shape).astype("float32")
    near.weights = near.weights + 0.1 * noise
    far.weights = noise
    return {"one": one, "near": near, "far": far}


def test_examples_carry_over_to_models_that_are_alike(pair):
    rows = run(pair, pair, MarginPGD())
    assert [row.path for row in rows] == ["one", "near", "far"]
    table = {row.path: row.accuracy for row in rows}
    exact = np.mean(pair["one"].margins(GREYS, answers(pair["one"]), 0.02, "linf") > 0)
    assert table["one"]["one"][:2] == (1.0, pytest.approx(exact, abs=1 / 30))
    for target in pair:
        clean = np.mean(np.argmax(pair[target].logits(GREYS), axis=1) == answers(pair["one"]))
        assert [table[source][target][0] for source in pair] == [pytest.approx(clean)] * 3
    assert table["one"]["near"][1] < table["far"]["near"][1]
    assert table["near"]["one"][1] < table["far"]["one"][1]
    assert table["one"]["one"][1] <= table["near"]["one"][1]


def test_passes_are_counted_and_the_batch_size_changes_nothing(pair):
    source = {"one": pair["one"]}
    before = int(pair["one"].seen)
    (one,) = run(source, {"far": pair["far"]}, PGD(steps=7), batch_size=4)
    # Nothing is asked of the source but gradients.
    assert int(pair["one"].seen) - before == one.gradient_evaluations == 2 * 60 * 7
    assert one.forward_evaluations == 0 and one.seconds > 0
    (other,) = run(source, {"far": pair["far"]}, PGD(steps=7), batch_size=17)
    assert one.accuracy == other.accuracy
    (searched,) = run(source, {"far": pair["far"]}, Square(queries=5))
    assert searched.gradient_evaluations == 0 < searched.forward_evaluations <= 600


def test_what_a_journal_keeps_of_another_batch_size_is_not_taken(pair, tmp_path):
    journal = Journal(tmp_path, lambda: None)
    kept = [
        run({"one": pair["one"]}, {"far": pair["far"]}, batch_size=size, journal=journal)[0]
        for size in (40, 20, 20)
    ]
    assert kept[0].accuracy == kept[1].accuracy == kept[2].accuracy


def test_a_source_without_gradients_is_passed_over(pair):
    class Lost(Linear):
        gradient_error = "It was lost."

    rows = run({"lost": Lost(5), "one": pair["one"]}, {"lost": Lost(5)})
    assert rows[0].skipped == "It was lost." and rows[0].accuracy == {}
    assert rows[1].skipped is None and len(rows[1].accuracy["lost"]) == 3


def test_cascades_and_wrong_norms_are_refused(pair):
    with pytest.raises(InputError, match="transfer attack: expected one that is no cascade"):
        run(pair, pair, Quick())
    with pytest.raises(InputError, match="norm: expected l2"):
        run(pair, pair, CarliniWagner(), ThreatModel("linf", (0.5,)))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("transfer")
    random = np.random.default_rng(0)
    images = random.uniform(size=(120, 5, 5, 1)).astype("float32")
    labels = np.argmax((images.reshape(120, 25) - 0.5) @ random.normal(size=(25, 3)), axis=1)
    parts = {"x_train": images[:70], "y_train": labels[:70]}
    np.savez(path / "data.npz", x_test=images[70:], y_test=labels[70:], **parts)
    for name in ("a", "b"):
        keras.utils.set_random_seed(ord(name))
        layers = [keras.Input((5, 5, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
        model = keras.Sequential(layers)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.05), loss)
        model.fit(images, labels, epochs=25, verbose=0)
        model.save(path / f"{name}.keras")
    config = EvaluateConfig(
        models=(str(path / "a.keras"), str(path / "b.keras")),
        dataset=str(path / "data.npz"),
        attacks=("fgsm",),
        epsilons=(0.02, 0.1),
        attacker_temperature="removed",
        transfer=True,
        transfer_attack="bim",
        substitute=True,
        substitute_images=20,
    )
    return evaluation.evaluate(config)[0]


def test_the_report_holds_models_and_substitutes(report):
    table = report.transfer
    paths = [model.path for model in report.models]
    assert (table.attack, table.settings["steps"]) == ("bim", 20)
    assert [source.path for source in table.sources] == paths * 2
    assert [source.substitute is not None for source in table.sources] == [False] * 2 + [True] * 2
    for source in table.sources:
        assert [target.path for target in source.targets] == paths
        assert source.gradient_evaluations == 2 * 50 * 20
        for target, model in zip(source.targets, report.models, strict=True):
            assert target.accuracy[1] < model.clean_accuracy
    made = table.sources[2].substitute
    assert (made.images, made.queries) == (20, 640) and made.agreement > 0.5
    assert report.attacker_temperature == "removed"
    assert reporting.Report.from_json(report.to_json()) == report


def test_the_page_shows_a_table_an_epsilon(report):
    text = html.render(report)
    assert text.count('aria-label="Transfer at epsilon') == 2
    shown = words(text)
    assert "Substitute for a trained on 640 of its answers, from 20 images" in shown
    assert "divided by their standard deviation" in shown


def test_nothing_is_transferred_unless_asked_for(report):
    assert EvaluateConfig(models=("a",)).transfer is False
    plain = reporting.Report(
        dataset=report.dataset, threat_model=report.threat_model, models=report.models, seed=0
    )
    assert plain.transfer is None and "Transfer" not in words(html.render(plain))

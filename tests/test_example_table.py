"""The table with one line an image, and the adversarial images that are kept."""

import csv
import dataclasses
import io

import numpy as np
import pytest
from linear_model import GREYS, answers, linear

from robust_keras import engine
from robust_keras.attacks import FGSM, Attack, MarginPGD, ThreatModel, UniformNoise
from robust_keras.engine import class_shares
from robust_keras.engine import image_findings as findings
from robust_keras.reporting import example_table, output

EPSILONS = (0.01, 0.03, 0.06)


@pytest.fixture(scope="module", params=["every", "bisection"])
def found(request):
    model = linear(4)
    labels = answers(model)
    labels[:5] = (labels[:5] + 1) % 4
    attacks = [UniformNoise(repeats=3), FGSM(), MarginPGD(steps=15)]
    evaluation = engine.evaluate(
        model,
        GREYS,
        labels,
        attacks,
        ThreatModel("linf", EPSILONS),
        batch_size=16,
        seed=0,
        sweep=request.param,
        keep_examples=True,
    )
    return model, labels, evaluation


def leads(model, images, labels):
    logits = np.array(model.logits(images), np.float64)
    places = np.arange(len(labels))
    own = logits[places, labels]
    logits[places, labels] = -np.inf
    return own - logits.max(axis=1)


def test_every_number_is_that_of_the_image_that_was_kept(found):
    model, labels, evaluation = found
    table = evaluation.per_image
    broken = np.array([attack is not None for attack in table.attack])
    np.testing.assert_array_equal(broken, evaluation.clean_correct & ~evaluation.worst_case[-1])
    np.testing.assert_array_equal(sorted(table.adversarial), np.flatnonzero(broken))
    np.testing.assert_array_equal(table.clean_correct, evaluation.clean_correct)
    np.testing.assert_allclose(table.clean_margin, leads(model, GREYS, labels), atol=1e-5)
    for index, image in table.adversarial.items():
        row = EPSILONS.index(table.epsilon[index])
        assert not evaluation.worst_case[row, index]
        assert row == 0 or evaluation.worst_case[row - 1, index], "there is a smaller epsilon"
        named = [a for a in evaluation.attacks if not a.robust[row, index]]
        assert table.attack[index] == named[0].name, "another attack was first"
        distance = np.abs(image.astype(np.float64) - GREYS[index]).max()
        assert table.distance[index] == distance <= EPSILONS[row]
        margin = leads(model, image[None], labels[index : index + 1])[0]
        assert table.margin[index] == pytest.approx(margin, abs=1e-5) and margin <= 0


def test_an_image_that_holds_out_has_the_smallest_margin_that_was_seen(found):
    model, labels, evaluation = found
    table, held = evaluation.per_image, evaluation.worst_case[-1]
    assert held.any() and np.isnan(table.epsilon[held]).all()
    lowest = model.margins(GREYS, labels, EPSILONS[-1], "linf")
    assert np.all(table.margin[held] < table.clean_margin[held])
    np.testing.assert_array_less(lowest[held] - 1e-5, table.margin[held])


def test_classes_and_answers_come_from_the_table(found):
    model, labels, evaluation = found
    table = evaluation.per_image
    for report in class_shares.class_reports(evaluation):
        mine = labels == report.class_
        assert (
            report.examples == mine.sum() and report.clean == evaluation.clean_correct[mine].mean()
        )
        assert report.robust == tuple(evaluation.worst_case[:, mine].mean(axis=1))
    shown = np.array(GREYS)
    for index, image in table.adversarial.items():
        shown[index] = image
    expected = np.zeros((4, 4), int)
    np.add.at(expected, (labels, np.argmax(model.logits(shown), axis=1)), 1)
    counts = class_shares.confusion(evaluation, 4, 4)
    np.testing.assert_array_equal(counts, expected)
    assert np.trace(counts) == evaluation.worst_case[-1].sum() and counts.sum() == len(labels)
    assert class_shares.confusion(evaluation, 1000, 1000) is None
    assert class_shares.top_five(evaluation, EPSILONS) is None


def test_an_answer_that_is_not_finite_is_in_no_cell(found):
    evaluation = found[2]
    table = dataclasses.replace(evaluation.per_image, adversarial_class=np.array(found[1]))
    evaluation = dataclasses.replace(evaluation, per_image=table)
    assert class_shares.confusion(evaluation, 4, 4).sum() == evaluation.worst_case[-1].sum()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sinking(Attack):
    """Makes the label less likely, whatever else becomes likelier."""

    name, kind = "sinking", "noise"

    def propose(self, classifier, images, labels, *, epsilon, **settings):
        weights = classifier.weights[:, labels].T.reshape(images.shape)
        return self.priced(images - epsilon * np.sign(weights))


def test_the_five_likeliest_are_those_of_every_answer_that_was_seen():
    model, epsilons = linear(9), (0.01, 0.05, 0.1)
    labels = answers(model)
    labels[:5] = (labels[:5] + 1) % 9
    settings = {"batch_size": 16, "seed": 0}
    found = engine.evaluate(
        model, GREYS, labels, [Sinking()], ThreatModel("linf", epsilons), **settings
    )
    fallen, attacked = np.full(60, np.inf), np.array(found.clean_correct)
    for row, epsilon in enumerate((0.0, *epsilons)):
        images = Sinking().propose(model, GREYS, labels, epsilon=epsilon).images
        places = np.argsort(np.argsort(-np.array(model.logits(images)), axis=1), axis=1)
        outside = (places[np.arange(60), labels] >= 5) & (attacked | (epsilon == 0.0))
        fallen[outside] = np.minimum(fallen[outside], epsilon)
        attacked &= found.worst_case[row - 1] if row else True
    top = class_shares.top_five(found, epsilons)
    assert top.clean == (fallen > 0.0).mean() < 1.0
    assert top.robust == tuple((fallen > epsilon).mean() for epsilon in epsilons)
    assert np.all(np.array(top.robust) >= found.worst_case.mean(axis=1))
    assert 0.0 < top.robust[-1] < top.robust[0]


def test_the_table_reads_back(found):
    _, labels, evaluation = found
    table = evaluation.per_image
    text = example_table.table({"a,b": table, "other": table})
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 120 and tuple(rows[0]) == example_table.COLUMNS
    assert [row["model"] for row in rows[::60]] == ["a,b", "other"]
    for index, row in enumerate(rows[:60]):
        assert int(row["image"]) == index and int(row["label"]) == labels[index]
        assert row["clean_correct"] == str(bool(evaluation.clean_correct[index])).lower()
        assert row["attack"] == (table.attack[index] or "")
        answer = table.adversarial_class[index] if table.attack[index] else ""
        assert row["adversarial_class"] == str(answer)
        for name in ("epsilon", "distance", "clean_margin", "margin"):
            value = getattr(table, name)[index]
            assert row[name] == "" if np.isnan(value) else float(row[name]) == value


def test_what_was_kept_is_written_for_each_model(found, tmp_path):
    _, labels, evaluation = found
    table = evaluation.per_image
    output._write_tables({"one": table}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "adversarial_examples.npz",
        "examples.csv",
        "recheck.py",
    ]
    with np.load(tmp_path / "adversarial_examples.npz") as kept:
        indices = kept["indices"]
        assert kept["images"].dtype == np.float32 and kept["images"].shape[1:] == (3, 4, 1)
        np.testing.assert_array_equal(indices, np.flatnonzero(~evaluation.worst_case[-1]))
        for row, index in enumerate(indices.tolist()):
            np.testing.assert_array_equal(kept["originals"][row], GREYS[index])
            expected = table.adversarial.get(index, GREYS[index])
            np.testing.assert_array_equal(kept["images"][row], expected)
        np.testing.assert_array_equal(kept["labels"], labels[indices])
        np.testing.assert_array_equal(kept["epsilon"], np.nan_to_num(table.epsilon[indices]))
        assert kept["attack"].tolist() == [table.attack[index] or "" for index in indices]
    names = [name for name, _ in example_table.adversarial_files({"one": table, "two": table})]
    assert names == ["adversarial_examples_1.npz", "adversarial_examples_2.npz"]


def test_where_nothing_fell_the_images_still_have_a_shape(found):
    right = np.ones(60, bool)
    table = dataclasses.replace(found[2].per_image, adversarial={}, clean_correct=right)
    ((_, arrays),) = example_table.adversarial_files({"one": table})
    assert arrays["images"].shape == (0, 3, 4, 1) and arrays["labels"].shape == (0,)


def test_answers_that_are_no_numbers_have_no_margin():
    margin = findings.margins(np.array([[1.0, np.nan], [2.0, -1.0], [np.inf, 0.0]]), [0, 1, 0])
    np.testing.assert_array_equal(margin, [np.nan, -3.0, np.nan])

"""Evaluations towards one class: what counts, who may aim, and what a report tells."""

import dataclasses
import types

import numpy as np
import pytest
import small_network

import robust_keras
from robust_keras import engine, reporting
from robust_keras.attacks import FGSM, MarginPGD, Quick, Square, StepLL, ThreatModel
from robust_keras.attacks.acceptance import APGDAccepted
from robust_keras.engine.goal import check_aims, goal
from robust_keras.engine.replicas import Replicas
from robust_keras.errors import InputError
from robust_keras.settings.config import EvaluateConfig
from robust_keras.settings.target import ClassOrAll

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = (0.1, 0.25)
TARGET = 3


def towards(target, model, images, labels, attacks):
    """The evaluation in the terms of the data set."""
    aim = goal(target, Replicas([model]), images, labels, epsilons=2, batch_size=32)
    found = engine.evaluate(
        *(aim.replicas, aim.images, aim.labels, attacks, ThreatModel("linf", EPSILONS)),
        batch_size=32,
        seed=0,
        survivors=aim.survivors,
        keep_examples=True,
    )
    return aim.told(found)


def others(count, num_classes=10):
    """Images that are not of the target, the first four with another label than theirs."""
    images, labels = small_network.sample(60, num_classes)
    images, labels = (values[labels != TARGET][:count] for values in (images, labels))
    labels = labels.copy()
    labels[:4] = np.where((labels[:4] + 1) % 10 == TARGET, TARGET + 1, (labels[:4] + 1) % 10)
    return images, labels


@pytest.mark.parametrize("attack", [FGSM(), MarginPGD(steps=15), Square(queries=60)])
def test_only_the_answer_wanted_counts(attack):
    model, (images, labels) = small_network.network(), others(40)
    found = towards(TARGET, model, images, labels, [attack])
    answers = np.argmax(model.logits(images), axis=1)
    np.testing.assert_array_equal(found.clean_correct, answers == labels)
    assert not found.clean_correct[:4].any()
    table, fallen = found.per_image, found.clean_correct & ~found.worst_case[-1]
    np.testing.assert_array_equal(sorted(table.adversarial), np.flatnonzero(fallen))
    for index, image in table.adversarial.items():
        assert np.argmax(model.logits(image[None])) == TARGET == table.adversarial_class[index]
    np.testing.assert_array_equal(table.adversarial_class[~fallen], answers[~fallen])
    any_answer = towards(None, model, images, labels, [attack]).worst_case
    assert np.all(found.worst_case.sum(axis=1) >= any_answer.sum(axis=1))
    for example in found.examples:
        assert (example.label, example.adversarial_class) == (labels[example.index], TARGET)
        assert example.adversarial_confidence > 1 / 10


def test_with_many_steps_the_target_is_reached():
    model, (images, labels) = small_network.network(), others(40)
    found = towards(TARGET, model, images, labels, [MarginPGD(steps=15)])
    assert found.clean_correct.sum() > found.worst_case[0].sum() > found.worst_case[1].sum()


def test_with_two_classes_the_other_is_the_only_wrong_answer():
    model = small_network.network(2)
    images, labels = small_network.sample(60, 2)
    images, labels = images[labels == 0], labels[labels == 0]
    attacks = [Quick(steps=10, targets=1, queries=20), FGSM()]
    aimed, free = (towards(t, model, images, labels, attacks) for t in (1, None))
    np.testing.assert_array_equal(aimed.worst_case, free.worst_case)
    for one, other in zip(aimed.attacks, free.attacks, strict=True):
        np.testing.assert_array_equal(one.robust, other.robust)


@pytest.mark.parametrize("attack", [StepLL(), APGDAccepted()])
def test_an_attack_with_an_aim_of_its_own_is_refused(attack):
    with pytest.raises(InputError, match=f"^--attacks: expected .*--target_class.*{attack.name}$"):
        check_aims([FGSM(), attack], "linf")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"target_class": -1}, "--target_class: expected a class, a whole number from 0 on"),
        ({"target_class": "every"}, "--target_class: expected a class, a whole number from 0"),
        ({"target_class": 1, "minimal_epsilon": True}, "nothing beside --target_class"),
        ({"target_class": 1, "certify": ("bounds",)}, "nothing beside --target_class"),
        ({"target_class": 1, "models": ("a", "b"), "transfer": True}, "beside --target_class"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, text):
    with pytest.raises(InputError) as caught:
        EvaluateConfig(**{"models": ("a",)} | settings)
    assert text in str(caught.value)


def test_the_first_class_can_be_wanted_and_all_of_them():
    assert [ClassOrAll().parse(text) for text in ("0", "12", "all")] == [0, 12, "all"]
    assert EvaluateConfig(models=("a",), target_class=0).wanted == 0
    assert EvaluateConfig(models=("a",), target_class="all", minimal_epsilon=True).wanted is None


def test_every_class_is_wanted_in_turn_and_what_is_found_counts():
    model, (images, labels) = small_network.network(3), small_network.sample(40, 3)
    labels = np.where(np.arange(40) < 4, (labels + 1) % 3, labels)
    given = {"attacks": "fgsm", "epsilons": EPSILONS, "num_classes": 3, "progress": False}
    result = robust_keras.evaluate(
        {"net": model.logits}, images, labels, target_class="all", **given
    )
    (found,) = result.models
    targets, table = found.targets, result.tables["net"]
    np.testing.assert_array_equal(targets.attacked, np.bincount(labels[4:], minlength=3))
    expected, moved = np.zeros((3, 3), int), np.zeros(40, bool)
    for target in range(3):
        places = np.flatnonzero(labels != target)
        aimed = towards(target, model, images[places], labels[places], [FGSM()])
        fallen = places[aimed.clean_correct & ~aimed.worst_case[-1]]
        np.add.at(expected, (labels[fallen], target), 1)
        moved[fallen] = True
    assert expected.sum() > 0
    # A single step at the largest epsilon alone: what fell at a smaller one need not fall there.
    assert np.all(np.array(targets.moved) <= expected) and np.trace(targets.moved) == 0
    # A row a class: its first image that is right, as it is and as it was moved.
    firsts = [int(np.flatnonzero(labels[4:] == k)[0]) + 4 for k in range(3)]
    shown = {(one.source, one.answer): one for one in targets.pictures}
    assert {(k, k) for k in range(3)} <= set(shown) and len(shown) > 3
    for (source, answer), one in shown.items():
        assert one.index == firsts[source] and (source == answer or targets.moved[source][answer])
        far = np.abs(one.image / 255.0 - images[one.index]).max()
        assert far <= 0.51 / 255 + (source != answer) * (EPSILONS[-1] + 1e-6)
    with pytest.raises(ValueError, match="must be below 10"):
        dataclasses.replace(targets.pictures[0], answer=10)
    fell = np.array([attack is not None for attack in table.attack])
    assert found.attacks[-1].name == "every_target"
    assert found.attacks[-1].accuracy[-1] >= found.worst_case.accuracy[-1]
    assert fell.sum() == 36 - found.worst_case.accuracy[-1] * 40 > 0
    assert "can be moved to another on average" in " ".join(result.summary().split())
    assert reporting.Report.from_json(result.report.to_json()) == result.report


def test_a_rejection_rule_is_left_out_of_account():
    rule = types.SimpleNamespace(nonsense_classes=1, threshold=0.5)
    model = dataclasses.replace(small_network.network(), rejection=rule)
    images, labels = others(8)
    found = towards(TARGET, model, images, labels, [Quick(steps=2, targets=1, queries=2)])
    assert found.clean_accepted is None
    assert "apgd_accepted" not in [stage.name for stage in found.attacks[0].stages]


def test_a_report_says_which_answer_was_wanted():
    model, (images, labels) = small_network.network(), small_network.sample(40)
    given = {"attacks": "fgsm", "epsilons": EPSILONS, "num_classes": 10, "progress": False}
    result = robust_keras.evaluate({"net": model.logits}, images, labels, target_class=3, **given)
    report, (found,) = result.report, result.models
    assert report.threat_model.target_class == 3
    assert report.dataset.examples == (labels != 3).sum()
    left_out = f"{(labels == 3).sum()} images of that class are left out"
    assert left_out in " ".join(result.summary().split())
    assert "linf attack towards class 3 alone" in result.summary()
    assert [c.passed for c in found.audit if c.check == "clean accuracy"] == [True]
    moved = np.array(found.confusion) * (1 - np.eye(10, dtype=int))
    assert moved[:, 3].sum() == moved.sum() > 0
    assert 3 not in [each.class_ for each in found.per_class]
    assert reporting.Report.from_json(report.to_json()) == report
    with pytest.raises(InputError, match="^target_class: expected a class from 0 to 9"):
        robust_keras.evaluate({"net": model.logits}, images, labels, target_class=10, **given)

"""autoattack and quick: their stages, what each is given, what is counted and reported."""

import numpy as np
import pytest
from linear_model import GREYS, Linear, answers, linear

from robust_keras import engine
from robust_keras.attacks import (
    APGDCE,
    AutoAttack,
    FABTargeted,
    MarginPGD,
    Quick,
    Square,
    ThreatModel,
)
from robust_keras.engine.shares import attack_report

pytestmark = pytest.mark.usefixtures("graphs_as_written")

CHEAP = {"steps": 10, "targets": 3, "queries": 30}


def evaluate(
    classifier, attacks, norm="linf", epsilons=(0.02, 0.05), batch_size=60, images=60, **settings
):
    settings = {"seed": 0, "batch_size": batch_size} | settings
    threat_model = ThreatModel(norm, epsilons)
    return engine.evaluate(
        *(classifier, GREYS[:images], answers(classifier)[:images]),
        *(attacks, threat_model),
        **settings,
    )


def names(attack, norm):
    return [stage.name for stage in attack.stages(norm)]


def test_autoattack_is_the_published_ensemble_after_the_nearest():
    published = ["apgd_ce", "apgd_targeted", "fab_targeted", "square"]
    assert names(AutoAttack(again=0), "linf") == names(AutoAttack(again=0), "l2") == published
    assert names(AutoAttack(), "linf") == names(AutoAttack(), "l2") == ["nearest_pgd", *published]
    nearest, ce, targeted, fab, square = AutoAttack().stages("linf")
    # It begins as `quick` does, and goes on where that does not.
    first = Quick().stages("linf")[0]
    assert (nearest.steps, nearest.targets) == (first.steps, first.targets)
    assert nearest.again > first.again and nearest.near > first.near
    assert (ce.steps, ce.restarts) == (100, 1)
    assert (targeted.steps, targeted.restarts, targeted.targets) == (100, 1, 9)
    assert (fab.steps, fab.restarts, fab.targets) == (100, 1, 9)
    assert square == Square(queries=5000)
    assert APGDCE().stages("linf") == (APGDCE(),)


@pytest.mark.parametrize(
    ("cascade", "num_classes", "norm"),
    [
        (AutoAttack, 2, "linf"),
        (AutoAttack, 3, "l2"),
        (AutoAttack, 6, "linf"),
        (Quick, 2, "l2"),
        (Quick, 3, "linf"),
        (Quick, 6, "l2"),
    ],
)
def test_a_cascade_finds_what_can_be_found_in_a_linear_model(cascade, num_classes, norm):
    model, epsilon = linear(num_classes), {"linf": 0.02, "l2": 0.06}[norm]
    robust = model.margins(GREYS, answers(model), epsilon, norm) > 0
    attack = cascade(steps=40, targets=9, queries=10)
    found = evaluate(model, [attack], norm, (epsilon,))
    np.testing.assert_array_equal(found.worst_case[0], robust)
    assert 10 < robust.sum() < 50


def test_stages_are_the_attacks_run_on_survivors_and_are_counted():
    model, threat_model = linear(4), ThreatModel("linf", (0.0, 0.02, 0.05))
    # `NearestPGD` takes several gradients from one pass.
    attack = AutoAttack(**CHEAP, again=0)
    before = int(model.seen)
    few = {"batch_size": 1, "images": 12}
    (result,) = evaluate(model, [attack], epsilons=threat_model.epsilons, **few).attacks
    # The clean pass, and the labels of this test.
    passes = result.gradient_evaluations + result.forward_evaluations
    assert int(model.seen) - before == passes + 12 + 60
    assert names(attack, "linf") == [stage.name for stage in result.stages]
    for count in ("gradient_evaluations", "forward_evaluations"):
        assert sum(getattr(stage, count) for stage in result.stages) == getattr(result, count)
    left = np.array([stage.accuracy for stage in result.stages])
    assert np.all(np.diff(left, axis=0) <= 0), "no stage gives anything back"
    np.testing.assert_allclose(left[-1], result.robust.mean(axis=1))
    assert left[0, 0] == 1.0, "nothing is attacked at 0"
    survivors = None
    for number, stage in enumerate(attack.stages("linf")):
        found = evaluate(model, [stage], epsilons=(0.02,), survivors=survivors, **few)
        (alone,) = found.attacks
        survivors = alone.robust
        np.testing.assert_allclose(left[number, 1], survivors.mean())


def test_without_gradients_only_the_search_runs_and_the_report_says_so():
    model = Linear(4)
    model.gradient_error = "lost"
    (result,) = evaluate(model, [AutoAttack(**CHEAP)]).attacks
    assert result.skipped is None and result.gradient_evaluations == 0
    assert [stage.skipped for stage in result.stages] == ["lost"] * 4 + [None]
    report = attack_report(result, model)
    assert report.settings["left_out"] == names(AutoAttack(), "linf")[:-1]
    assert list(report.settings["accuracy_after"]) == ["square"]
    (result,) = evaluate(model, [AutoAttack(**CHEAP)], norm="l2").attacks
    assert result.skipped is None and not result.robust.all()


def test_the_report_has_one_row_with_its_stages():
    found = evaluate(linear(4), [Quick(**CHEAP), MarginPGD(steps=5)])
    cascade, plain = (attack_report(result, None) for result in found.attacks)
    assert (cascade.name, cascade.skipped) == ("quick", None)
    assert {name: cascade.settings[name] for name in CHEAP} == CHEAP
    after = cascade.settings["accuracy_after"]
    assert list(after) == names(Quick(), "linf")
    assert list(after["square"]) == [pytest.approx(share) for share in cascade.accuracy]
    assert plain.settings == {"steps": 5, "step": 0.1, "restarts": 1}
    assert {example.attack for example in found.examples} <= {"quick", "margin_pgd"}


def test_progress_names_the_stage():
    seen = []
    evaluate(linear(4), [Quick(**CHEAP)], progress=lambda name, *rest: seen.append(name))
    assert list(dict.fromkeys(seen)) == [f"quick: {name}" for name in names(Quick(), "linf")]


@pytest.mark.parametrize(
    ("attack", "shared"),
    # Both gradients by which `quick` ranks the other classes come from one forward pass.
    [(AutoAttack(**CHEAP), 2), (FABTargeted(steps=5), 0), (Quick(**CHEAP), 2)],
)
def test_few_survivors_take_small_batches(attack, shared):
    model = linear(3)
    survivors = np.zeros((1, 60), bool)
    survivors[0, 7] = True
    before = int(model.seen)
    found = evaluate(model, [attack], epsilons=(1e-6,), survivors=survivors)
    (result,) = found.attacks
    passes = result.gradient_evaluations + result.forward_evaluations
    # A batch of one image has no padding that costs anything; the clean pass has all.
    assert int(model.seen) - before == passes - shared + 120


def test_a_cascade_is_run_by_the_engine_alone():
    with pytest.raises(TypeError, match="autoattack must be run by engine.evaluate"):
        AutoAttack().propose(linear(2), GREYS, None)


@pytest.mark.parametrize("cascade", [AutoAttack, Quick])
@pytest.mark.parametrize("name", CHEAP)
def test_bad_settings_are_refused(cascade, name):
    with pytest.raises(ValueError, match=f"`{name}` must be a whole number of at least 1"):
        cascade(**{name: 0})


@pytest.mark.parametrize(
    ("num_classes", "norm"), [(2, "linf"), (3, "l2"), (10, "l2"), (100, "linf")]
)
def test_any_number_of_classes_and_colours_work(num_classes, norm):
    model, epsilon = linear(num_classes, (5, 4, 3)), {"linf": 0.01, "l2": 0.06}[norm]
    images = np.random.default_rng(8).uniform(0.3, 0.7, (24, 5, 4, 3)).astype("float32")
    labels = np.argmax(model.logits(images), axis=1)
    attack = AutoAttack(steps=10, targets=20, queries=10)
    settings = {"batch_size": 24, "seed": 0}
    threat_model = ThreatModel(norm, (epsilon,))
    found = engine.evaluate(model, images, labels, [attack], threat_model, **settings)
    robust = model.margins(images, labels, epsilon, norm) > 0
    assert np.all(found.worst_case[0] >= robust), "none falls that cannot"
    assert np.sum(found.worst_case[0] & ~robust) <= 1
    assert 2 < robust.sum() < 22

"""--survivors_only: attacks in turn, the cheapest first, each on what those before it left."""

import dataclasses
import itertools

import numpy as np
import pytest
from linear_model import GREYS, answers, linear

from robust_keras import engine
from robust_keras.attacks import ATTACKS, FGSM, PGD, AutoAttack, Square, ThreatModel, UniformNoise
from robust_keras.audit import result_checks
from robust_keras.engine.price import cheapest_first

pytestmark = pytest.mark.usefixtures("graphs_as_written")

THREAT_MODEL = ThreatModel("linf", (0.01, 0.02, 0.04))
ATTACKS_GIVEN = [Square(queries=200), PGD(steps=10), UniformNoise(repeats=2), FGSM()]


def evaluate(model, attacks=ATTACKS_GIVEN, **settings):
    settings = {"batch_size": 60, "seed": 0} | settings
    return engine.evaluate(model, GREYS, answers(model), attacks, THREAT_MODEL, **settings)


def test_the_cheapest_comes_first():
    names = [attack.name for attack in cheapest_first(ATTACKS_GIVEN, "linf", (3, 4, 1))]
    assert names == ["uniform_noise", "fgsm", "pgd", "square"]
    every = [make() for make in ATTACKS.values() if "linf" in make.norms]
    ordered = [attack.name for attack in cheapest_first(reversed(every), "linf", (28, 28, 1))]
    assert sorted(ordered) == sorted(attack.name for attack in every)
    for cheap, dear in itertools.pairwise(
        ("fgsm", "pgd", "apgd_ce", "apgd_targeted", "quick", "autoattack")
    ):
        assert ordered.index(cheap) < ordered.index(dear)
    assert cheapest_first([AutoAttack(), FGSM()], "l2", (3, 4, 1))[0] == FGSM()


@pytest.mark.parametrize("sweep", ["every", "bisection"])
def test_each_attack_meets_what_those_before_it_left(sweep):
    model = linear(4)
    found = evaluate(model, sweep=sweep, survivors_only=True)
    assert [result.name for result in found.attacks] == ["uniform_noise", "fgsm", "pgd", "square"]
    left = np.array([result.robust for result in found.attacks])
    assert np.all(left[1:] <= left[:-1])
    np.testing.assert_array_equal(left[-1], found.worst_case)
    assert found.survivors_only
    if sweep == "every":
        survivors = None
        for attack, result in zip(
            cheapest_first(ATTACKS_GIVEN, "linf", (3, 4, 1)), found.attacks, strict=True
        ):
            alone = evaluate(model, [attack], survivors=survivors).attacks[0]
            np.testing.assert_array_equal(alone.robust, result.robust)
            assert alone.gradient_evaluations == result.gradient_evaluations
            survivors = result.robust


def test_the_worst_case_is_that_of_all_attacks_on_all_images_and_costs_less():
    model = linear(4)
    whole, spared = (evaluate(model, survivors_only=only) for only in (False, True))
    assert not whole.survivors_only
    np.testing.assert_array_equal(whole.worst_case, spared.worst_case)
    assert 0 < whole.worst_case.sum() < whole.worst_case.size
    costs = [
        sum(r.gradient_evaluations + r.forward_evaluations for r in found.attacks)
        for found in (whole, spared)
    ]
    assert costs[1] < costs[0]


def test_every_image_is_told_the_attack_that_broke_it():
    found = evaluate(linear(4), survivors_only=True)
    table = found.per_image
    broken = np.flatnonzero(~found.worst_case[-1])
    assert {table.attack[index] for index in broken} <= {"uniform_noise", "fgsm", "pgd", "square"}
    for index in broken:
        row = int(np.argmin(found.worst_case[:, index]))
        first = next(r.name for r in found.attacks if not r.robust[row, index])
        assert table.attack[index] == first


def test_what_cannot_be_compared_is_not_checked():
    found = evaluate(linear(4), survivors_only=True)
    for check in (
        result_checks.noise_against_gradients(found, THREAT_MODEL),
        result_checks.one_step_against_iterative(found, THREAT_MODEL),
    ):
        assert check.passed is None and check.evidence == {"applicable": False}
        assert "only the images that those before it had left" in check.message
    compared = dataclasses.replace(found, survivors_only=False)
    check = result_checks.noise_against_gradients(compared, THREAT_MODEL)
    assert check.evidence != {"applicable": False}

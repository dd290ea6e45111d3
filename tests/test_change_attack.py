"""A new attack is one file that says what it is, and one call of `register`."""

import dataclasses
import pathlib
import types

import numpy as np
import pytest
import toy_attack
from linear_model import Linear

from robust_keras import attacks, engine
from robust_keras.attackable import Attackable
from robust_keras.engine import price, shares, sweep
from robust_keras.engine.minimal_epsilon import minimal_epsilons
from robust_keras.engine.transfer import transfer
from robust_keras.errors import InputError
from robust_keras.strength import STRONG, strength

pytestmark = pytest.mark.usefixtures("graphs_as_written")

IMAGES = np.random.default_rng(0).uniform(0.3, 0.7, (30, 3, 4, 1)).astype("float32")
MODEL = Linear(4)
LABELS = np.argmax(MODEL.logits(IMAGES), axis=1)
THREAT_MODEL = attacks.ThreatModel("linf", (0.05, 0.3))
SETTINGS = {"batch_size": 10, "seed": 0}


@pytest.fixture(autouse=True)
def registered():
    attacks.register(toy_attack.ToyAttack)
    yield attacks.ATTACKS["toy"]
    del attacks.ATTACKS["toy"]


def test_it_takes_one_file_of_forty_lines():
    assert len(pathlib.Path(toy_attack.__file__).read_text().splitlines()) <= 40


def test_it_is_as_strong_as_it_declares(registered):
    found = engine.evaluate(MODEL, IMAGES, LABELS, [registered()], THREAT_MODEL, **SETTINGS)
    (result,) = found.attacks
    assert result.robust[0].mean() > result.robust[1].mean()
    assert strength(found.attacks) == STRONG
    report = shares.attack_report(result, MODEL)
    assert report.strength == strength([report]) == STRONG


def test_four_attributes_make_a_model_that_can_be_attacked():
    assert isinstance(MODEL, Attackable)
    assert not isinstance(types.SimpleNamespace(logits=MODEL.logits), Attackable)


def test_its_price_is_told(registered):
    assert price.passes_at_most(registered(iterations=7), (3, 4, 1)) == 3 * 7 + 1
    ((title, stage, epsilon), _) = sweep.parts(registered(), THREAT_MODEL, "every")
    assert (title, stage.needs, stage.needs_gradient, epsilon) == ("toy", "gradients", True, 0.05)
    assert sweep.is_bisected(stage)
    found = engine.evaluate(MODEL, IMAGES, LABELS, [registered()], THREAT_MODEL, **SETTINGS)
    tried = 30 + found.worst_case[0].sum()
    assert found.attacks[0].gradient_evaluations == 3 * tried


def test_it_transfers_and_finds_smallest_epsilons(registered):
    pair = {"itself": MODEL, "other": Linear(4)}
    (row, _) = transfer(pair, pair, IMAGES, LABELS, registered(), THREAT_MODEL, **SETTINGS)
    assert row.gradient_evaluations == 2 * 3 * 30
    found = minimal_epsilons(
        MODEL, IMAGES, LABELS, registered(), norm="linf", largest=0.3, tolerance=0.01, **SETTINGS
    )
    np.testing.assert_array_less(found.epsilons[np.isfinite(found.epsilons)], 0.3 + 1e-6)
    assert found.found > 0.5


@pytest.mark.parametrize("sweep", ["every", "bisection"])
def test_it_resumes(registered, tmp_path, monkeypatch, sweep):
    def run():
        journal = engine.Journal(tmp_path / "journal", lambda: (tmp_path / "journal").mkdir())
        given = [registered()], THREAT_MODEL
        return engine.evaluate(
            MODEL, IMAGES, LABELS, *given, **SETTINGS, sweep=sweep, journal=journal
        )

    first = run()
    monkeypatch.setattr(registered, "propose", None)
    np.testing.assert_array_equal(run().attacks[0].robust, first.attacks[0].robust)


def test_what_is_no_attack_is_not_registered(registered):
    other = dataclasses.make_dataclass("Other", [], bases=(attacks.Attack,), frozen=True)
    for wrong in (int, registered(), attacks.Attack, other):
        with pytest.raises(InputError, match="attack"):
            attacks.register(wrong)
    twin = types.new_class("Twin", (registered,), exec_body=lambda body: body.update(name="toy"))
    with pytest.raises(InputError, match="toy"):
        attacks.register(twin)
    assert attacks.register(registered) is registered
    assert attacks.ATTACKS["toy"] is registered

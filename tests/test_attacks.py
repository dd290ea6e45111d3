"""The table of attacks, their settings, and noise."""

import dataclasses
import json
import types

import numpy as np
import pytest
from linear_model import GREYS, answers, linear

from robust_keras.attacks import ATTACKS, GaussianNoise, ThreatModel, UniformNoise
from robust_keras.attacks.attack import Attack
from robust_keras.attacks.loops.random_changes import uniform_in_ball
from robust_keras.engine.evaluate_attacks import generators
from robust_keras.strength import strength

IMAGES = np.full((400, 4, 5, 1), 0.5, "float32")


def test_attacks_are_called_as_the_table_calls_them():
    assert all(attack.name == name for name, attack in ATTACKS.items())


@pytest.mark.parametrize("attack", ATTACKS.values())
def test_settings_are_frozen_keyword_only_and_plain(attack):
    built = attack()
    assert json.loads(json.dumps(built.settings())) == built.settings()
    assert attack(**built.settings()) == built
    guided = ("sparse", "one_step", "iterative")
    assert built.kind in ("noise", "score", "decision", *guided)
    assert built.needs_gradient == (built.kind in guided)
    with pytest.raises(dataclasses.FrozenInstanceError):
        built.name = "other"
    with pytest.raises(TypeError):
        attack(1)


def test_an_attack_without_a_proposal_says_so():
    ball = {"threat_model": ThreatModel("l2", (0.1,)), "epsilon": 0.1}
    with pytest.raises(TypeError, match="must define propose"):
        Attack().propose(None, IMAGES, None, **ball, generators=[])


def noisy(attack, norm, epsilon):
    return attack.propose(
        None,
        IMAGES,
        None,
        threat_model=ThreatModel(norm, (epsilon,)),
        epsilon=epsilon,
        generators=generators(0, attack.name, epsilon, 0, range(len(IMAGES))),
    ).images


def test_uniform_noise_fills_the_ball():
    flat = np.abs(noisy(UniformNoise(), "linf", 0.2) - IMAGES).ravel()
    assert flat.max() <= 0.2 + 1e-6
    np.testing.assert_allclose(np.quantile(flat, [0.25, 0.5, 0.75]), [0.05, 0.1, 0.15], atol=0.01)
    lengths = np.linalg.norm((noisy(UniformNoise(), "l2", 0.4) - IMAGES).reshape(400, -1), axis=1)
    # In 20 dimensions a share r^20 of the ball lies within r of its radius.
    expected = 0.4 * np.array([0.25, 0.5, 0.75]) ** (1 / 20)
    np.testing.assert_allclose(np.quantile(lengths, [0.25, 0.5, 0.75]), expected, atol=0.01)
    assert lengths.max() <= 0.4 + 1e-6


@pytest.mark.parametrize(("norm", "deviation"), [("linf", 0.5), ("l2", 2.0)])
def test_gaussian_noise_has_the_deviation_that_it_says(norm, deviation):
    attack = GaussianNoise(deviation=deviation)
    change = noisy(attack, norm, 0.1) - IMAGES
    expected = deviation * 0.1 / (1.0 if norm == "linf" else np.sqrt(20))
    assert change.std() == pytest.approx(expected, rel=0.05)
    assert abs(change.mean()) < 0.05 * expected


def test_every_image_gets_its_own_noise():
    changes = uniform_in_ball(generators(0, "x", 0.1, 0, range(20)), (4, 5, 1), 0.1, "linf")
    assert changes.dtype == np.float32
    assert len(np.unique(changes[:, 0, 0, 0])) == 20


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda: UniformNoise(repeats=0), "`repeats` must be a whole number of at least 1"),
        (lambda: GaussianNoise(repeats=1.5), "`repeats`"),
        (lambda: GaussianNoise(deviation=0), "`deviation` must be a number in (0"),
        (lambda: GaussianNoise(deviation=float("inf")), "`deviation`"),
    ],
)
def test_bad_settings_are_refused(build, text):
    with pytest.raises(ValueError) as caught:
        build()
    assert text in str(caught.value)


# Attacks that came later are in no report that does not tell their strength.
OLD = [attack for attack in ATTACKS.values() if attack.name not in ("nearest_pgd", "jumping_pgd")]


@pytest.mark.parametrize("make", OLD)
@pytest.mark.parametrize("settings", [{}, {"steps": 9}, {"step": 0.01}, {"queries": 900}])
def test_what_attacks_declare_is_what_was_made_of_their_settings(make, settings):
    known = {field.name for field in dataclasses.fields(make)}
    attack = make(**{name: value for name, value in settings.items() if name in known})
    old = types.SimpleNamespace(
        name=attack.name, kind=attack.kind, settings=attack.settings(), strength=None, skipped=None
    )
    assert strength([old]) == strength([attack_of(old, attack.strength)])
    partner = types.SimpleNamespace(**vars(old) | {"name": "square", "kind": "score"})
    partner.settings = {"queries": 5000}
    assert strength([old, partner]) == strength([attack_of(old, attack.strength), partner])


def attack_of(old, declared):
    return types.SimpleNamespace(**vars(old) | {"strength": declared})


BRIEF = {"steps": 3, "queries": 300, "searches": 2, "targets": 3, "classes": 4, "share": 0.5}


@pytest.fixture(scope="module")
def model():
    return linear(4)


@pytest.mark.parametrize("make", [attack for attack in ATTACKS.values() if not attack.cascade])
def test_no_image_takes_more_passes_than_are_declared(model, make):
    known = {field.name for field in dataclasses.fields(make)}
    attack = make(**{name: value for name, value in BRIEF.items() if name in known})
    norm, epsilon, images = attack.norms[0], 0.01, GREYS[:3]
    proposal = attack.propose(
        model,
        images,
        answers(model)[:3],
        threat_model=ThreatModel(norm, (epsilon,)),
        epsilon=epsilon,
        generators=generators(0, attack.name, epsilon, 0, range(3)),
    )
    gradients, forwards = attack.passes(images.shape[1:])
    assert 0 <= proposal.gradient_evaluations.max() <= gradients
    assert 1 <= proposal.forward_evaluations.max() + 1 <= forwards


@pytest.mark.parametrize("make", [attack for attack in ATTACKS.values() if attack.cascade])
def test_a_cascade_declares_what_its_attacks_do(make):
    stages = make().stages("linf")
    for count in ("gradient_evaluations", "forward_evaluations"):
        assert getattr(make(), count) == sum(s.rounds * getattr(s, count) for s in stages)

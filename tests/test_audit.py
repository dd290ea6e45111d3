"""The audit believes honest models and sees through the known ways of only looking robust."""

import dataclasses
import json
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from digits import digits

from robust_keras import engine, serving
from robust_keras.attacks import (
    APGDCE,
    BIM,
    FGSM,
    MIM,
    PGD,
    MarginPGD,
    Square,
    ThreatModel,
    UniformNoise,
)
from robust_keras.audit import (
    AuditCheck,
    audit,
    difference_checks,
    opening,
    path_checks,
    probes,
    probing_attacks,
    result_checks,
)
from robust_keras.audit.account import Account, Round, clearly_too_high
from robust_keras.audit.attacking_again import AttackingAgain
from robust_keras.audit.averaging import steady
from robust_keras.engine import AttackResult, Evaluation
from robust_keras.engine.journal import Unrecorded
from robust_keras.layers import KernelActivation, KWinnersTakeAll

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = (0.03, 0.1, 0.2)
MODEL = ThreatModel("linf", EPSILONS)
ATTACKS = (UniformNoise(repeats=3), FGSM(), PGD(steps=20), MIM())
CHECKS = [
    "clean accuracy",
    "reading of the images",
    "order of the classes",
    "gradient available",
    "zero gradients",
    "saturated logits",
    "gradients against differences",
    "rough loss",
    "rising loss",
    "success on the path",
    "layers that mislead",
    "repeatable answers",
    "batch independence",
    "attack strength",
    "noise against gradients",
    "one step against many",
    "unbounded attack",
    "falling accuracy",
    "operations that mask",
    "scale-free loss",
    "converged attack",
    "search against gradients",
]


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("adam", loss)
    images, labels = digits()
    network.fit(images[:3000], labels[:3000], batch_size=100, epochs=4, verbose=0)
    return network


IMAGES, LABELS = (part[3000:3200] for part in digits())


class Altered:
    """The trained network with its input or its logits changed."""

    image_shape, num_classes, gradient_error = (28, 28, 1), 10, None

    def __init__(self, network, before=tf.identity, after=tf.identity):
        def logits(images):
            return after(network(before(images), training=False))

        self.logits = tf.function(logits)


# What counter-attacks may take in tests of something else, forward passes.
LITTLE = 200_000
FEW = {"images": IMAGES[:60], "labels": LABELS[:60], "budget": LITTLE * 60 // 200}


def evaluate(classifier, attacks=ATTACKS, model=MODEL, images=IMAGES, labels=LABELS):
    return engine.evaluate(classifier, images, labels, attacks, model, batch_size=100, seed=0)


def audited(classifier, attacks=ATTACKS, model=MODEL, images=IMAGES, labels=LABELS, budget=None):
    """The evaluation, the checks by name, and all that the audit came to."""
    found = evaluate(classifier, attacks, model, images, labels)
    settings = {"batch_size": 100, "seed": 0, "budget": budget}
    judged = audit(classifier, images, labels, found, model, **settings)
    return found, {check.check: check for check in judged.checks}, judged


def account_of(classifier, found, model, images, labels):
    return Account(
        classifier, images, labels, found, model, batch_size=100, seed=0,
        journal=Unrecorded(), masking=opening.looked_into(classifier, images),
    )  # fmt: skip


def failed(checks):
    return [name for name, check in checks.items() if check.passed is False]


def not_made(checks):
    return [name for name, check in checks.items() if check.passed is None]


# Graphs are compiled once a classifier and attack.
@pytest.fixture(scope="module")
def honest(network):
    return serving.from_keras(network)


@pytest.fixture(scope="module")
def plain(network):
    return Altered(network)


@pytest.fixture(scope="module")
def sound(honest):
    return audited(honest)


@pytest.fixture(scope="module")
def large(network):
    """The same network with its last layer times 100: every answer is the same."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for weight in copy.layers[-1].weights:
        weight.assign(weight * 100.0)
    return serving.from_keras(copy)


@pytest.fixture(scope="module")
def scaled(large):
    return audited(large)


def test_an_honest_model_passes_every_check(sound):
    found, checks, judged = sound
    assert judged.counter_attacks == ()
    assert list(checks) == CHECKS
    assert failed(checks) == []
    assert found.worst_case[-1].mean() < 0.1, "it is not robust, and the number says so"


def test_an_honest_model_passes_in_l2(honest):
    model = ThreatModel("l2", (0.5, 1.5))
    assert failed(audited(honest, (FGSM(), PGD(steps=20)), model)[1]) == []


def test_large_logits_look_robust_and_are_found_out(sound, scaled):
    seen, masked = sound[0].worst_case.mean(axis=1), scaled[0].worst_case.mean(axis=1)
    assert seen[-1] < 0.1 and masked[-1] > 0.6, "the attacks alone are taken in"
    caught = failed(scaled[1])
    expected = {"zero gradients", "saturated logits", "unbounded attack", "scale-free loss"}
    assert expected <= set(caught)
    assert expected <= set(scaled[2].settled)


def test_the_corrected_number_is_the_honest_one(sound, scaled):
    honest, corrected = (found[2].evaluation.worst_case.mean(axis=1) for found in (sound, scaled))
    np.testing.assert_allclose(corrected, honest, atol=0.03)
    assert np.all(corrected <= scaled[0].worst_case.mean(axis=1))


def test_where_every_image_fell_nothing_stays_in_doubt(network):
    scaled = Altered(network, after=lambda logits: 1000.0 * logits)
    found, checks, judged = audited(scaled, (MarginPGD(),), ThreatModel("linf", (0.5,)), **FEW)
    assert not found.worst_case.any() and "saturated logits" in failed(checks)
    assert judged.settled == tuple(sorted(failed(checks)))
    assert judged.counter_attacks == ()


def test_every_image_tells_what_the_audit_found(scaled):
    before, _, judged = scaled
    table, left = judged.evaluation.per_image, judged.evaluation.worst_case
    later = before.worst_case[-1] & ~left[-1]
    assert later.sum() > 100
    assert {table.attack[place] for place in np.flatnonzero(later)} <= {
        "audit_margin",
        "audit_converged",
        "audit_losses_without_scale",
        "audit_search",
    }
    for row, epsilon in enumerate(EPSILONS):
        fallen = before.clean_correct & ~left[row]
        assert np.all(table.epsilon[fallen] <= epsilon)
    assert np.all(table.distance[later] <= EPSILONS[-1] + 1e-6) and np.all(table.margin[later] <= 0)


def test_the_numbers_behind_saturation(scaled, sound):
    assert scaled[1]["zero gradients"].evidence["zero_share"] > 0.8
    honest = sound[1]["saturated logits"].evidence["median_lead"]
    masked = scaled[1]["saturated logits"].evidence["median_lead"]
    assert masked == pytest.approx(100 * honest, rel=1e-3)


def noisy(logits):
    return logits + 0.3 * tf.random.normal(tf.shape(logits))


def blocked(images):
    return tf.stop_gradient(images) + 0.0 * images


def test_random_answers_are_found_out(network):
    checks = audited(Altered(network, after=noisy), (FGSM(), PGD(steps=10)), **FEW)[1]
    assert "repeatable answers" in failed(checks)
    assert checks["repeatable answers"].evidence["relative_difference"] > 0.003
    assert checks["rising loss"].passed


def test_answers_of_chance_do_not_hide_a_gradient_that_leads_nowhere(network):
    classifier = steady(Altered(network, before=blocked, after=noisy))
    settings = {"batch_size": 100, "seed": 0, "journal": None, "random": True}
    images = {"images": IMAGES[:60], "labels": LABELS[:60]}
    sample = probes.Sample(classifier=classifier, threat_model=MODEL, **images, **settings)
    rising, lasting = path_checks.along_the_path(sample)
    assert (rising.passed, lasting.passed) == (False, None)


def test_the_attacks_on_each_copy_of_a_graph_are_told_apart(honest):
    masking = types.SimpleNamespace(copies=(honest, honest))
    found = opening.Opening(types.SimpleNamespace(masking=masking, classifier=honest)).attacks(0.0)
    # As the journal tells them apart.
    assert len(set(map(repr, found))) == 4


@pytest.mark.parametrize(
    ("doubt", "settled"), [("one step against many", True), ("rough loss", False)]
)
def test_what_single_answers_of_chance_explain_puts_no_gradient_in_doubt(network, doubt, settled):
    classifier, model = Altered(network, after=noisy), ThreatModel("linf", (0.03,))
    images, labels = FEW["images"], FEW["labels"]
    found = evaluate(classifier, (PGD(steps=10),), model, images, labels)
    account = account_of(steady(classifier), found, model, images, labels)
    probing_attacks.scale_free_loss(account)
    # After the losses without scale no search is affordable.
    again = AttackingAgain(account, {"repeatable answers", doubt}, 4000 * len(images))
    again.run()
    ran = [made.name for made in again.made if made.rounds]
    assert "losses without scale" in ran
    assert again.settled is settled
    assert again.answered() == ((doubt, "repeatable answers") if settled else ())


@pytest.mark.parametrize(
    ("doubt", "found", "starts", "last", "settled"),
    [
        # The margin finds more, and the ratio after it nothing.
        ("repeatable answers", [1, 0], [0, 0], "losses without scale", True),
        # The ratio finds more: both once more, from other starts.
        ("repeatable answers", [1, 1, 0, 0], [0, 0, 2, 2], "losses without scale", True),
        ("repeatable answers", [0, 1, 0, 1, 1, 1], [0, 0, 2, 2, 4, 4], None, False),
        # Elsewhere an attack of another kind must find nothing.
        ("scale-free loss", [1, 0, 0], [0, 0, 0], "random squares", True),
    ],
)
def test_an_attack_on_a_model_of_chance_confirms_itself(
    network, monkeypatch, doubt, found, starts, last, settled
):
    model, images, labels = ThreatModel("linf", (0.03,)), FEW["images"], FEW["labels"]
    classifier = Altered(network, after=noisy)
    evaluation = evaluate(classifier, (FGSM(),), model, images, labels)
    account = account_of(classifier, evaluation, model, images, labels)
    outcomes, made = iter(found), []

    def attack(attack, places=None, again=0):
        made.append(again)
        result = dataclasses.replace(
            evaluation.attacks[0], settings=attack.settings(), gradient_evaluations=10**6
        )
        return Round(result, *3 * [np.zeros(1)], np.array([bool(next(outcomes))]))

    monkeypatch.setattr(account, "attack", attack)
    again = AttackingAgain(account, {doubt}, 3e6 * len(found))
    again.run()
    assert (made, again.settled) == (starts, settled)
    assert last is None or again.made[-1].name == last


def test_answers_that_depend_on_the_batch_are_found_out(network):
    def centred(logits):
        return logits - tf.reduce_mean(logits, axis=0, keepdims=True)

    checks = audited(Altered(network, after=centred), (PGD(steps=10),), **FEW)[1]
    assert "batch independence" in failed(checks)
    assert checks["repeatable answers"].passed


def test_a_lost_gradient_leaves_searches_which_find_the_truth(sound, network):
    classifier = Altered(network)
    classifier.gradient_error = "The gradient was lost."
    found, checks, judged = audited(classifier, **FEW | {"budget": LITTLE // 2})
    assert failed(checks) == ["gradient available", "attack strength", "search against gradients"]
    assert set(judged.settled) <= set(failed(checks)) - {"attack strength"}
    known = sound[0].worst_case[-1, : len(FEW["images"])].mean()
    corrected = judged.evaluation.worst_case[-1].mean()
    assert corrected <= known + 0.05 < found.worst_case[-1].mean()
    assert checks["gradient available"].message.startswith("The gradient was lost.")
    assert "Only random noise" in checks["attack strength"].message
    untried = {"zero gradients", "gradients against differences", "unbounded attack"}
    untried |= {"falling accuracy", "scale-free loss", "converged attack", "rising loss"}
    assert untried <= set(not_made(checks))
    assert all(checks[name].evidence == {"applicable": False} for name in untried)


@pytest.mark.parametrize(
    ("attacks", "text"),
    [
        ((), "No attack ran."),
        ((UniformNoise(repeats=1),), "Only random noise was tried."),
        ((UniformNoise(repeats=1), FGSM()), "No attack took more than one step"),
        ((Square(queries=3),), "under 1000 queries"),
        ((Square(queries=1000),), None),
        ((APGDCE(),), None),
        ((PGD(steps=3),), "too few steps"),
        ((BIM(steps=20, step=0.01),), "too short ones"),
        ((BIM(steps=10, step=0.1),), None),
        ((MIM(),), None),
    ],
)
def test_a_weak_attack_is_no_reason_to_believe(plain, attacks, text):
    model = ThreatModel("linf", (0.1,))
    found = evaluate(plain, attacks, model, IMAGES[:20], LABELS[:20])
    check = result_checks.attack_strength(found)
    assert check.passed == (text is None)
    assert text is None or text in check.message and "upper bound" in check.message


def test_a_weak_attack_is_corrected(honest):
    _, checks, judged = audited(honest, (UniformNoise(repeats=1),))
    assert failed(checks) == ["attack strength", "scale-free loss"]
    assert "too high" in checks["scale-free loss"].message and judged.settled
    assert judged.evaluation.worst_case[-1].mean() < 0.1


class Rippled:
    """Two classes, and ripples on the way to the other: a hill every half epsilon.

    Far from the middle, where three epsilons lead, all is of the other.
    """

    image_shape, num_classes, gradient_error, epsilon = (6, 6, 1), 2, None, 0.1

    def __init__(self):
        self.logits = tf.function(self._logits)

    def _logits(self, images):
        moved = (images - 0.5) / self.epsilon
        risen = moved + 3 / (4 * np.pi) * tf.sin(4 * np.pi * moved)
        far = 10 * (tf.reduce_mean(tf.abs(moved), (1, 2, 3)) - 1.2)
        other = tf.maximum(tf.reduce_mean(risen, (1, 2, 3)) - 0.7, far)
        return tf.stack([tf.zeros_like(other), other], axis=1)


@pytest.mark.parametrize("epsilons", [(0.1,), (0.1, 0.3)])
def test_steps_too_small_to_leave_a_hill_are_found_out(epsilons):
    classifier, model = Rippled(), ThreatModel("linf", epsilons)
    # A hundred are looked at first; where they fall, so do the others.
    images, labels = np.full((120, 6, 6, 1), 0.5, np.float32), np.zeros(120, int)
    small = PGD(steps=20), MarginPGD(steps=40, step=0.05, restarts=2)
    found = evaluate(classifier, small, model, images, labels)
    assert found.worst_case[0].all() and not found.worst_case[1:].any()
    account = account_of(classifier, found, model, images, labels)
    assert probing_attacks.converged(account).passed is False
    assert not account.left.any()


def results(**shares):
    """An evaluation of 200 images in which each kind of attack leaves the given shares of them."""

    def result(kind, left):
        robust = np.arange(200)[None] < 200 * np.array(left)[:, None]
        return AttackResult(kind, kind, "gradients", {"steps": 40}, robust, 1.0, 0, 0)

    attacks = tuple(result(kind, left) for kind, left in shares.items())
    worst = np.logical_and.reduce([a.robust for a in attacks])
    return Evaluation(np.ones(200, bool), attacks, worst, ())


PAIRS = {
    "noise_against_gradients": ("noise", "iterative"),
    "one_step_against_iterative": ("one_step", "iterative"),
}
TWO = ThreatModel("linf", (0.1, 0.2))


@pytest.mark.parametrize("check", PAIRS)
@pytest.mark.parametrize(
    ("weak", "strong", "passed"),
    [
        ((0.9, 0.5), (0.8, 0.1), True),
        ((0.9, 0.5), (0.9, 0.5), True),
        ((0.895, 0.5), (0.9, 0.5), True),
        ((0.9, 0.45), (0.9, 0.5), False),
        ((0.5, 0.0), (0.9, 0.0), False),
    ],
)
def test_a_weak_attack_that_beats_a_strong_one_is_a_contradiction(check, weak, strong, passed):
    names = PAIRS[check]
    found = results(**{names[0]: weak, names[1]: strong})
    verdict = getattr(result_checks, check)(found, TWO)
    assert verdict.passed == passed
    if not passed:
        assert ("0.2" if weak[1] < strong[1] else "0.1") in verdict.message


@pytest.mark.parametrize("check", PAIRS)
def test_a_comparison_with_nothing_to_compare_says_so(check):
    for kind in PAIRS[check]:
        verdict = getattr(result_checks, check)(results(**{kind: (0.5, 0.5)}), TWO)
        assert verdict.passed is None and verdict.message.startswith("Not checked:")
    skipped = results(noise=(0.1, 0.1), one_step=(0.1, 0.1), iterative=(0.9, 0.9))
    attacks = [
        dataclasses.replace(a, skipped="why" if a.kind == "iterative" else None)
        for a in skipped.attacks
    ]
    skipped = dataclasses.replace(skipped, attacks=tuple(attacks))
    assert result_checks.one_step_against_iterative(skipped, TWO).passed is None


def test_a_model_without_a_right_answer_is_no_crash(network, plain):
    wrong = np.argmin(network.predict(IMAGES[:50], verbose=0), axis=1)
    found, checks, _ = audited(plain, images=IMAGES[:50], labels=wrong)
    assert not found.worst_case.any()
    assert "clean accuracy" in failed(checks)
    assert "No robustness was measured." in checks["clean accuracy"].message
    assert "no image is classified correctly" in checks["zero gradients"].message


def test_one_image_and_one_epsilon_are_no_crash(network, plain):
    model = ThreatModel("linf", (0.0,))
    place = int(np.flatnonzero(np.argmax(network.predict(IMAGES, verbose=0), axis=1) == LABELS)[0])
    one = slice(place, place + 1)
    checks = audited(plain, (PGD(),), model, IMAGES[one], LABELS[one])[1]
    assert failed(checks) == ["clean accuracy"]
    assert "Take more images" in checks["clean accuracy"].message
    assert checks["scale-free loss"].evidence == {"applicable": False}


def test_findings_are_plain_and_for_people(sound, scaled):
    for _, checks, _ in (sound, scaled):
        for check in checks.values():
            assert isinstance(check, AuditCheck) and check.passed in (True, False, None)
            assert json.loads(json.dumps(check.evidence, allow_nan=False)) == check.evidence
            assert check.message.endswith(".") and "\n" not in check.message
            assert "  " not in check.message


def test_the_same_seed_finds_the_same(large, scaled):
    again = audited(large)
    assert [c.passed for c in again[1].values()] == [c.passed for c in scaled[1].values()]
    np.testing.assert_allclose(
        again[2].evaluation.worst_case.mean(axis=1),
        scaled[2].evaluation.worst_case.mean(axis=1),
        atol=0.02,
    )


def small_network(activation):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(8, 5, strides=2),
            activation(),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(256),
            activation(),
            keras.layers.Dense(10),
        ]
    )


@pytest.mark.parametrize(
    ("activation", "passed"),
    [
        (keras.layers.ReLU, True),
        (lambda: keras.layers.Activation("silu"), True),
        (lambda: KernelActivation(kernel="gaussian"), True),
        (lambda: KWinnersTakeAll(0.1), False),
        # Steps of a hundredth, with the slope of what they approximate.
        (
            lambda: keras.layers.Lambda(lambda x: x + tf.stop_gradient(tf.round(x * 4) / 4 - x)),
            False,
        ),
    ],
    ids=["relu", "silu", "kernel", "winners", "steps"],
)
def test_gradients_that_do_not_tell_how_answers_change_are_found_out(activation, passed):
    """At c9b7acc k-winners-take-all passed the audit, and its number stood in green."""
    classifier = serving.from_keras(small_network(activation))
    labels = np.argmax(classifier.logits(tf.constant(IMAGES[:60])), axis=1)
    sample = probes.Sample(
        classifier=classifier,
        images=IMAGES[:60],
        labels=labels,
        threat_model=ThreatModel("linf", (0.1,)),
        batch_size=40,
        seed=0,
        journal=None,
    )
    check = difference_checks.gradients_against_differences(sample)
    assert check.passed == passed
    assert check.evidence["misled_share"] > 0.4 or passed


@pytest.mark.parametrize("count", [5, 40])
def test_a_small_run_of_an_honest_model_passes(honest, count):
    """At 40 images one image was enough to strike an honest number through."""
    checks = audited(honest, images=IMAGES[:count], labels=LABELS[:count])[1]
    assert failed(checks) == []


@pytest.mark.parametrize(
    ("images", "broken", "passed"),
    [(40, 1, True), (40, 2, True), (40, 6, False), (200, 5, True), (200, 12, False), (3, 1, True)],
)
def test_the_tolerance_knows_the_number_of_images(images, broken, passed):
    assert clearly_too_high(broken, images, 1.0) == (not passed)


def test_small_epsilons_at_which_nothing_falls_are_no_fault(honest):
    model = ThreatModel("linf", (0.0005, 0.001))
    found, checks, _ = audited(honest, (BIM(),), model)
    assert found.worst_case[0].sum() == found.worst_case[1].sum()
    assert checks["falling accuracy"].passed

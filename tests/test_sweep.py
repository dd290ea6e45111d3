"""Many epsilons: bisection finds what every single run finds, for the price of a few."""

import types

import cleverhans.tf2.utils
import numpy as np
import pytest
import tensorflow as tf
from linear_model import GREYS, answers, linear

from robust_keras import engine
from robust_keras.attacks import (
    APGDCE,
    FGSM,
    PGD,
    FABTargeted,
    MarginPGD,
    Quick,
    Square,
    ThreatModel,
    UniformNoise,
)
from robust_keras.engine.headline_examples import at_epsilon
from robust_keras.engine.journal import Unrecorded

pytestmark = pytest.mark.usefixtures("graphs_as_written")

EPSILONS = {
    "linf": tuple(np.linspace(0.005, 0.08, 16).tolist()),
    "l2": tuple(np.linspace(0.015, 0.24, 16).tolist()),
}
EXACT = MarginPGD(steps=20)


def evaluate(model, attacks, norm="linf", epsilons=None, batch_size=60, **settings):
    threat_model = ThreatModel(norm, EPSILONS[norm] if epsilons is None else epsilons)
    settings = {"batch_size": batch_size, "seed": 0, "sweep": "bisection"} | settings
    return engine.evaluate(model, GREYS, answers(model), attacks, threat_model, **settings)


def truth(model, norm, epsilons):
    labels = answers(model)
    return np.array([model.margins(GREYS, labels, epsilon, norm) > 0 for epsilon in epsilons])


# In l2 a random start never quite leaves the line of the gradient.
CASES = [("linf", EXACT), ("linf", PGD(steps=20)), ("l2", APGDCE(steps=30))]


@pytest.mark.parametrize(("norm", "attack"), CASES)
def test_bisection_finds_the_epsilon_of_every_image_with_few_attacks(norm, attack):
    model = linear(2)
    (found,) = evaluate(model, [attack], norm).attacks
    np.testing.assert_array_equal(found.robust, truth(model, norm, EPSILONS[norm]))
    assert 0 < found.robust[-1].sum() < found.robust[0].sum() <= 60
    assert found.gradient_evaluations <= 4 * 60 * attack.gradient_evaluations


def test_the_curve_never_rises_and_is_no_worse_than_single_runs():
    model, attack = linear(3), EXACT
    (found,) = evaluate(model, [attack]).attacks
    assert not np.any(found.robust[1:] & ~found.robust[:-1])
    singles = [
        evaluate(model, [attack], epsilons=(epsilon,), sweep="every").worst_case[0]
        for epsilon in EPSILONS["linf"][::3]
    ]
    assert found.robust[::3].mean() <= np.mean(singles) + 0.01


def test_batches_and_neighbours_change_nothing():
    model, attack = linear(3), EXACT
    one, other = (evaluate(model, [attack], batch_size=size) for size in (60, 17))
    np.testing.assert_array_equal(one.worst_case, other.worst_case)
    # Fewer images, other batches.
    labels, threat_model = answers(model), ThreatModel("linf", EPSILONS["linf"])
    settings = {"batch_size": 60, "seed": 0, "sweep": "bisection"}
    few = engine.evaluate(model, GREYS[:11], labels[:11], [attack], threat_model, **settings)
    np.testing.assert_array_equal(few.worst_case, one.worst_case[:, :11])


def test_survivors_and_epsilon_0_are_left_alone():
    model, epsilons = linear(2), (0.0, *EPSILONS["linf"])
    survivors = np.ones((17, 60), bool)
    survivors[3:, :20] = False
    survivors[:, 20:30] = False
    found = evaluate(model, [EXACT], epsilons=epsilons, survivors=survivors)
    np.testing.assert_array_equal(found.worst_case, truth(model, "linf", epsilons) & survivors)


def test_a_stage_attacks_what_the_stages_before_it_left():
    model, attack, epsilons = linear(4), Quick(steps=20, targets=3), EPSILONS["linf"][::3]
    (found,) = evaluate(model, [attack], epsilons=epsilons).attacks
    left = np.array([stage.accuracy for stage in found.stages])
    assert np.all(np.diff(left, axis=0) <= 0) and np.all(np.diff(left, axis=1) <= 0)
    np.testing.assert_allclose(left[-1], found.robust.mean(axis=1))
    np.testing.assert_array_equal(found.robust, truth(model, "linf", epsilons))
    for count in ("gradient_evaluations", "forward_evaluations"):
        assert sum(getattr(stage, count) for stage in found.stages) == getattr(found, count)


def test_every_pass_is_counted():
    model = linear(3)
    before = int(model.seen)
    (found,) = evaluate(model, [EXACT], epsilons=EPSILONS["linf"][::4], batch_size=1).attacks
    # Beside the labels of this test and the clean pass.
    passes = found.gradient_evaluations + found.forward_evaluations
    assert int(model.seen) - before == passes + 120


def test_noise_and_single_steps_are_tried_at_every_epsilon():
    model, attacks = linear(3), [FGSM(), UniformNoise(repeats=2)]
    every, searched = (evaluate(model, attacks, sweep=sweep) for sweep in ("every", "bisection"))
    for one, other in zip(every.attacks, searched.attacks, strict=True):
        np.testing.assert_array_equal(one.robust, other.robust)
        assert one.forward_evaluations == other.forward_evaluations


def test_what_is_rejected_has_an_account_of_its_own():
    model = linear(2)
    # The rule declines every second image once it is changed, and knows it by its neighbours.
    odd = np.arange(60) % 2 == 1
    first = tf.constant(GREYS.reshape(60, -1))

    def rejected(images):
        flat = tf.reshape(images, (-1, 1, 12))
        nearest = tf.argmin(tf.reduce_max(tf.abs(flat - first), axis=2), axis=1)
        changed = tf.reduce_max(tf.abs(flat[:, 0] - tf.gather(first, nearest)), axis=1) > 1e-6
        return tf.gather(tf.constant(odd), nearest) & changed

    model.rejection = types.SimpleNamespace(rejected=rejected)
    epsilons = EPSILONS["linf"][::3]
    for sweep in ("every", "bisection"):
        found = evaluate(model, [EXACT], epsilons=epsilons, sweep=sweep)
        np.testing.assert_array_equal(found.worst_case, truth(model, "linf", epsilons))
        expected = found.worst_case | odd
        np.testing.assert_array_equal(found.worst_case_with_rejection, expected)


def test_few_shapes_are_traced():
    model, attack = linear(5), PGD(steps=4)
    before = cleverhans.tf2.utils.compute_gradient.experimental_get_tracing_count()
    evaluate(model, [attack], batch_size=40)
    after = cleverhans.tf2.utils.compute_gradient.experimental_get_tracing_count()
    assert after - before <= 10
    assert model.logits.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("sweep", ["every", "bisection"])
def test_an_attack_that_makes_no_use_of_epsilon_runs_once(sweep):
    model, attack = linear(4), FABTargeted(steps=20, targets=3)
    epsilons = EPSILONS["linf"][::3]
    found = evaluate(model, [attack], epsilons=epsilons, sweep=sweep).attacks[0]
    alone = [evaluate(model, [attack], epsilons=(epsilon,)).attacks[0] for epsilon in epsilons]
    assert found.gradient_evaluations == alone[0].gradient_evaluations
    for row, single in enumerate(alone):
        np.testing.assert_array_equal(found.robust[row], single.robust[0])
    assert not FABTargeted(restarts=2).any_epsilon and not Square().any_epsilon


def test_a_sweep_of_another_name_is_refused():
    with pytest.raises(ValueError, match="`sweep` must be one of every, bisection. Received"):
        evaluate(linear(2), [FGSM()], sweep="twice")


def test_what_is_shown_is_at_the_epsilon_of_the_headline():
    model, epsilons = linear(3), (0.02, 0.2)
    labels, settings = answers(model), {"batch_size": 20, "seed": 0, "journal": Unrecorded()}
    attacks, ball = [UniformNoise(), PGD(steps=5)], ThreatModel("linf", epsilons)
    found = engine.evaluate(model, GREYS, labels, attacks, ball, **settings)
    shown = at_epsilon(found.examples, model, attacks, ball, **settings)
    assert {example.epsilon for example in found.examples} == set(epsilons)
    assert [example.index for example in shown] == [example.index for example in found.examples]
    assert {example.epsilon for example in shown} == {0.2}
    for example in shown:
        np.testing.assert_array_equal(example.image, GREYS[example.index])
        assert example.label == labels[example.index] != example.adversarial_class
        assert np.argmax(model.logits(example.adversarial[None])) == example.adversarial_class
        assert 0.02 < np.abs(example.adversarial - example.image).max() <= 0.2 + 1e-6

"""The judge of models that only look robust; benchmarks/zoo_benchmark.py has the whole zoo."""

import functools

import pytest
import zoo

import robust_keras

IMAGES, EPSILON = 60, 0.1
# One image of sixty is 1.7 points: more than two of them are no chance.
TOLERATED = 2 / IMAGES
ANIMALS = {animal.name: animal for animal in zoo.zoo()}


@functools.cache
def judged(name, attacks):
    """The report on one animal."""
    images, labels = zoo.sample(IMAGES)
    model = ANIMALS[name].make(0)
    known = {} if hasattr(model, "layers") else {"num_classes": 10}
    result = robust_keras.evaluate(
        model, images, labels, attacks=attacks, epsilons=EPSILON, progress=False, **known
    )
    return result.models[0]


def test_the_zoo_is_complete():
    honest = [animal for animal in ANIMALS.values() if animal.honest]
    assert len(honest) >= 10 and len(ANIMALS) - len(honest) >= 14


@pytest.mark.parametrize("name", ["standard"])
def test_an_honest_model_is_believed(name):
    model = judged(name, "quick")
    assert model.verdict == "quotable" and model.reliable
    assert model.counter_attacks == ()


@pytest.mark.parametrize(
    ("name", "attacks"), [("logits_1000", "pgd"), ("blocked", "pgd"), ("rounded", "pgd")]
)
def test_a_deceptive_model_is_doubted_and_its_number_corrected(name, attacks):
    model, twin = judged(name, attacks), judged("standard", "quick")
    before, after = model.worst_case.before_audit[-1], model.worst_case.accuracy[-1]
    truth = twin.worst_case.accuracy[-1]
    assert before > truth + 0.2, "the attacks alone are taken in"
    assert abs(after - truth) <= TOLERATED
    assert model.verdict == "preliminary" and not model.reliable


def test_k_winners_take_all_is_searched_by_squares_before_slopes():
    """Slopes alone, until 30 November 2026, left it ten points more than AutoAttack's Square."""
    model = judged("winners", "quick")
    before, after = model.worst_case.before_audit[-1], model.worst_case.accuracy[-1]
    names = [counter.name for counter in model.counter_attacks]
    assert names == ["random squares", "evolution strategy"]
    assert after < before - TOLERATED
    assert model.verdict == "preliminary" and not model.reliable

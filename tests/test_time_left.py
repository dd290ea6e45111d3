"""The estimate of the time left, and what a log gets to see."""

import itertools

import numpy as np
import pytest
from linear_model import GREYS, Linear, answers

from robust_keras import engine
from robust_keras.attacks import PGD, AutoAttack, Quick, Square, ThreatModel, UniformNoise
from robust_keras.data import ImageSplit
from robust_keras.engine import sweep
from robust_keras.engine.price import passes_at_most
from robust_keras.images_left import ImagesLeft
from robust_keras.runs.first_look import first_look
from robust_keras.time_left import Plan, TimeLeft
from robust_keras.time_spent import FirstLook, Part


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


PACE = 1e-4
# Attack -> (gradients and forward passes an image at most, share of them that it really makes,
# share of the images that it leaves at each of four epsilons of a standard and a robust network).
ATTACKS = {
    "noise": ((0, 10), 1.0, (0.96, 0.95, 0.9, 0.8), (0.97, 0.96, 0.95, 0.94)),
    "fgsm": ((1, 1), 1.0, (0.6, 0.3, 0.1, 0.05), (0.9, 0.85, 0.8, 0.7)),
    "pgd": ((40, 4), 0.8, (0.4, 0.05, 0.0, 0.0), (0.88, 0.8, 0.7, 0.6)),
    "mim": ((13, 1), 1.0, (0.45, 0.1, 0.0, 0.0), (0.89, 0.82, 0.75, 0.65)),
    "square": ((0, 500), 0.8, (0.5, 0.2, 0.02, 0.0), (0.89, 0.83, 0.78, 0.7)),
}
EPSILONS = (0.05, 0.1, 0.2, 0.3)
REPORT = Part("report", seconds=4.0)
# To first order images hold out a little longer than they do; some are misclassified as they are.
RADII = {
    False: (0.0, *np.quantile(np.linspace(0.02, 0.14, 50), np.linspace(0.0, 1.0, 40))),
    True: (0.0, 0.0, *np.linspace(0.03, 1.0, 60)),
}


def simulate(attacks, *, models=1, images=200, robust=False, building=1.0, call=0.05, pace=PACE):
    """When each event of an evaluation happens and what is said then: [(time, seconds)]."""
    clock, said = Clock(), []
    look = FirstLook((1e-3, pace), (2e-3, 3 * pace), building / 2, RADII[robust])
    parts = [
        Part(a, a, e, *ATTACKS[a][0], built=int(a != "noise")) for a in attacks for e in EPSILONS
    ] + [Part("audit", images=min(images, 100), gradients=80, forwards=60, built=3)]
    left = TimeLeft([Plan(parts, look)] * models, images, clock, after=[REPORT])

    def note(seconds, event, *arguments):
        clock.time += seconds
        event(*arguments)
        said.append((clock.time, left.seconds()))

    for _ in range(models):
        note(0.2, left.begin)
        for attack in attacks:
            (gradients, forwards), share, *kept = ATTACKS[attack]
            before = 0.97
            for epsilon, accuracy in zip(EPSILONS, kept[robust], strict=True):
                total = round(images * before)
                for done in range(min(250, total), total + 1, 250) if total else ():
                    new = attack != "noise" and epsilon == EPSILONS[0] and done <= 250
                    passes = min(250, total) * share * (3 * gradients + forwards)
                    seconds = building * new + call + passes * pace
                    so_far = before - (before - accuracy) * done / total
                    note(seconds, left.note, attack, epsilon, done, total, so_far)
                before = accuracy
        note(0.0, left.start, "audit")
        note(building * 3 + min(images, 100) * 400 * pace, left.finish)
        note(0.0, left.end)
    note(0.0, left.start, "report")
    note(3.0, left.finish)
    return said


SCENARIOS = {
    "default": {"attacks": ("noise", "fgsm", "pgd", "mim")},
    "default, robust": {"attacks": ("noise", "fgsm", "pgd", "mim"), "robust": True},
    "three models": {"attacks": ("noise", "fgsm", "pgd", "mim"), "models": 3},
    "long": {"attacks": ("fgsm", "pgd", "square"), "images": 1000, "pace": 1e-2},
    "long, robust": {"attacks": ("fgsm", "pgd", "square"), "images": 1000, "robust": True},
    "one attack": {"attacks": ("pgd",), "images": 1000},
    "heavy network": {"attacks": ("noise", "pgd"), "pace": 1e-1, "building": 20.0},
    "slow to build": {"attacks": ("fgsm", "pgd", "square"), "building": 3.0},
    "small": {"attacks": ("noise", "fgsm", "pgd", "mim"), "images": 40},
}


@pytest.mark.parametrize("mark", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_estimate_is_near(name, mark):
    said = simulate(**SCENARIOS[name])
    begin, end = said[0][0], said[-1][0]
    moment = begin + mark * (end - begin)
    # What is shown is brought up to date every second; here, by the last event.
    known = [(at, seconds) for at, seconds in said if at <= moment]
    at, seconds = known[-1]
    assert 0.5 <= seconds / (end - at) <= 2.0, (seconds, end - at)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_first_look_tells_where_images_of_a_linear_model_fall(norm):
    model, ticks = Linear(2), itertools.count()
    labels = answers(model)
    labels[:5] = 1 - labels[:5]  # misclassified as they are
    look = first_look(model, ImageSplit(GREYS, labels), norm, ticks.__next__)
    steps = np.linspace(0.0, 1.0, 2001)
    expected = [(model.margins(GREYS, labels, e, norm) > 0.0).mean() for e in steps]
    found = [(np.array(look.radii) > e).mean() for e in steps]
    np.testing.assert_allclose(found, expected, atol=1 / 60 + 1e-6)
    assert look.radii[:5] == (0.0,) * 5 and look.building == 1.0
    assert look.forward[0] > 0.0 and look.gradient[0] > 0.0


def test_without_gradients_the_first_look_tells_forward_passes_alone():
    model = Linear(2)
    model.gradient_error = "lost"
    split = ImageSplit(GREYS, answers(model))
    look = first_look(model, split, "linf", itertools.count().__next__)
    assert look.radii is None and look.gradient == (0.0, 0.0) and look.forward[0] > 0.0


def test_images_that_are_left_follow_what_attacks_leave():
    parts = [Part(name, name, e, 40) for name in ("pgd", "apgd") for e in (0.1, 0.2)]
    radii = tuple(np.linspace(0.01, 1.0, 100))
    apart, in_turn = (ImagesLeft(parts, radii, survivors) for survivors in (False, True))
    before = [left.met(3) for left in (apart, in_turn)]
    for left in (apart, in_turn):
        left.see(parts[0], 0.25)  # more fell than expected
    assert before[0] > before[1]
    assert apart.met(2) == 1.0 and in_turn.met(2) == 0.25
    assert apart.left(1) < 0.1 and apart.met(3) == apart.left(2) < 0.3


def test_nothing_is_left_at_the_end():
    assert simulate(("fgsm", "pgd"))[-1][1] == 0.0


def test_between_models_the_next_one_is_still_to_come():
    clock = Clock()
    plan = Plan([Part("pgd", "pgd", 0.1, 40, 4)], FirstLook((1e-3, 1e-3)))
    left = TimeLeft([plan, plan], 100, clock, after=[REPORT])
    left.begin()
    clock.time += 60.0
    left.note("pgd", 0.1, 100, 100, 0.5)
    left.end()
    assert 30.0 <= left.seconds() <= 120.0


def test_it_ends_at_nothing_for_real_evaluations():
    clock, estimates = Clock(), []
    for name in ("every", "bisection"):
        model, threat_model = Linear(3), ThreatModel("linf", (0.0, 0.01, 0.03))
        attacks = [PGD(steps=3), UniformNoise(repeats=2)]
        parts = [
            Part(title, attack.name, epsilon, *stage.passes((3, 4, 1)))
            for attack in attacks
            for title, stage, epsilon in sweep.parts(attack, threat_model, name)
        ]
        left = TimeLeft([Plan(parts, FirstLook((1e-3, 1e-4), (1e-3, 3e-4)))], 60, clock)
        left.begin()

        def progress(*call, left=left):
            clock.time += 1.0
            left.note(*call)
            estimates.append(left.seconds())

        engine.evaluate(
            model, GREYS, answers(model), attacks, threat_model,
            batch_size=20, seed=0, sweep=name, progress=progress,
        )  # fmt: skip
        assert len(estimates) > 5 and min(estimates) >= 0.0 and np.isfinite(estimates).all()
        assert estimates[-1] == 0.0
        estimates.clear()


def test_the_parts_of_a_cascade_follow_the_sweep_but_of_one_that_searches():
    model, attack = ThreatModel("linf", (0.0, 0.1, 0.2)), AutoAttack()
    every = [(title, epsilon) for title, _, epsilon in sweep.parts(attack, model, "every")]
    assert every[0] == ("autoattack: nearest_pgd", 0.1)
    assert every[5] == ("autoattack: nearest_pgd", 0.2)
    for asked in ("every", "bisection"):
        searched = sweep.parts(Quick(), model, asked)
        assert [epsilon for *_, epsilon in searched] == [None] * 3
    single = sweep.parts(Quick(), ThreatModel("linf", (0.0, 0.1)), "every")
    assert [epsilon for *_, epsilon in single] == [0.1] * 3
    noise = sweep.parts(UniformNoise(), model, "bisection")
    assert [epsilon for *_, epsilon in noise] == [0.1, 0.2]


def test_passes_of_attacks():
    assert passes_at_most(PGD(steps=10, restarts=2), (3, 4, 1)) == 2 * 31
    assert passes_at_most(Square(queries=300), (3, 4, 1)) == 301

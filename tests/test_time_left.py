"""The estimate of the time left, and what a log gets to see."""

import numpy as np
import pytest
from linear_model import GREYS, Linear, answers

from robust_keras import engine
from robust_keras.attacks import PGD, Quick, Square, ThreatModel, UniformNoise
from robust_keras.engine import sweep
from robust_keras.engine.price import passes_at_most
from robust_keras.time_left import TimeLeft
from robust_keras.time_spent import Part


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


PACE = 1e-4
# Attack -> (passes an image at most, share of them that it really makes, share of the images that
# it leaves at each of four epsilons of a standard and of a robust network).
ATTACKS = {
    "noise": (10, 1.0, (0.96, 0.95, 0.9, 0.8), (0.97, 0.96, 0.95, 0.94)),
    "fgsm": (4, 1.0, (0.6, 0.3, 0.1, 0.05), (0.9, 0.85, 0.8, 0.7)),
    "pgd": (124, 0.8, (0.4, 0.05, 0.0, 0.0), (0.88, 0.8, 0.7, 0.6)),
    "mim": (40, 1.0, (0.45, 0.1, 0.0, 0.0), (0.89, 0.82, 0.75, 0.65)),
    "square": (500, 0.8, (0.5, 0.2, 0.02, 0.0), (0.89, 0.83, 0.78, 0.7)),
}
EPSILONS = (0.05, 0.1, 0.2, 0.3)
REPORT = Part("report", seconds=4.0)


def simulate(attacks, *, models=1, images=200, robust=False, building=1.0, call=0.05, pace=PACE):
    """When each event of an evaluation happens and what is said then: [(time, seconds)]."""
    clock, said = Clock(), []
    left = TimeLeft(models, images, clock, after=[REPORT])
    parts = [
        Part(a, a, e, ATTACKS[a][0], built=int(a not in ("noise", "square")))
        for a in attacks
        for e in EPSILONS
    ] + [Part("audit", images=min(images, 100), passes=300, built=4)]

    def note(seconds, event, *arguments):
        clock.time += seconds
        event(*arguments)
        said.append((clock.time, left.seconds()))

    for _ in range(models):
        note(0.2, left.begin, parts)
        for attack in attacks:
            passes, share, *kept = ATTACKS[attack]
            before, met = 0.97, set()
            for epsilon, accuracy in zip(EPSILONS, kept[robust], strict=True):
                total = round(images * before)
                for done in range(min(250, total), total + 1, 250) if total else ():
                    # Whatever meets a batch of a new shape is built for it; noise has no gradient.
                    new = attack != "noise" and min(250, total) not in met
                    seconds = building * new + call + min(250, total) * passes * share * pace
                    note(seconds, left.note, attack, epsilon, done, total, accuracy)
                    met.add(min(250, total))
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
    if seconds is None:
        # A first attack that is still at work, or nearly nothing seen but building.
        assert mark < 0.5 or name == "slow to build"
    else:
        assert 0.5 <= seconds / (end - at) <= 2.0, (seconds, end - at)


def test_nothing_is_left_at_the_end():
    assert simulate(("fgsm", "pgd"))[-1][1] == 0.0


def test_between_models_the_next_one_is_still_to_come():
    clock = Clock()
    left = TimeLeft(2, 100, clock, after=[REPORT])
    left.begin([Part("pgd", "pgd", 0.1, 100)])
    clock.time += 60.0
    left.note("pgd", 0.1, 100, 100, 0.5)
    left.end()
    assert 30.0 <= left.seconds() <= 120.0


def test_it_ends_at_nothing_for_real_evaluations():
    clock, estimates = Clock(), []
    for name in ("every", "bisection"):
        model, threat_model = Linear(3), ThreatModel("linf", (0.0, 0.01, 0.03))
        attacks = [PGD(steps=3), UniformNoise(repeats=2)]
        left = TimeLeft(1, 60, clock)
        parts = [
            Part(
                title,
                attack.name,
                epsilon,
                passes_at_most(stage, (3, 4, 1), searched=epsilon is None),
            )
            for attack in attacks
            for title, stage, epsilon in sweep.parts(attack, threat_model, name)
        ]
        left.begin(parts)

        def progress(*call, left=left):
            clock.time += 1.0
            left.note(*call)
            estimates.append(left.seconds())

        engine.evaluate(
            model, GREYS, answers(model), attacks, threat_model,
            batch_size=20, seed=0, sweep=name, progress=progress,
        )  # fmt: skip
        known = [seconds for seconds in estimates if seconds is not None]
        assert len(known) > 5 and min(known) >= 0.0 and np.isfinite(known).all()
        assert estimates[-1] == 0.0
        estimates.clear()


def test_the_parts_of_a_cascade_follow_the_sweep():
    model, attack = ThreatModel("linf", (0.0, 0.1, 0.2)), Quick()
    every = [(title, epsilon) for title, _, epsilon in sweep.parts(attack, model, "every")]
    assert every[0] == ("quick: apgd_dlr", 0.1) and every[4] == ("quick: apgd_dlr", 0.2)
    searched = sweep.parts(attack, model, "bisection")
    assert [epsilon for *_, epsilon in searched] == [None] * 4
    noise = sweep.parts(UniformNoise(), model, "bisection")
    assert [epsilon for *_, epsilon in noise] == [0.1, 0.2]


def test_passes_of_attacks():
    assert passes_at_most(PGD(steps=10, restarts=2), (3, 4, 1)) == 2 * 31
    assert passes_at_most(Square(queries=300), (3, 4, 1)) == 301
    assert passes_at_most(Square(queries=300), (3, 4, 1), searched=True) == 903

"""The estimate of the time left, and what a log gets to see."""

import io
import re

import numpy as np
import pytest
from linear_model import GREYS, Linear, answers

from robust_keras.attacks import PGD, Quick, Square, ThreatModel, UniformNoise, engine, sweep
from robust_keras.attacks.price import passes_at_most
from robust_keras.progress import AttackProgress
from robust_keras.time_left import TimeLeft, in_words


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


PARTS = [
    ("pgd", "pgd", 0.1, 40),
    ("pgd", "pgd", 0.2, 40),
    ("mim", "mim", 0.1, 10),
    ("mim", "mim", 0.2, 10),
]


def test_the_estimate_is_exact_where_every_pass_costs_the_same():
    clock = Clock()
    left = TimeLeft(2, 100, clock)
    left.begin(PARTS)
    assert left.seconds() is None
    clock.time = 20.0
    left.note("pgd", 0.1, 50, 100, 0.9)
    # 50 images at 0.1, 90 at 0.2; of mim 100 and 90, a quarter of the passes; then all of it again.
    one = 0.4 * (50 + 90) + 0.1 * (100 + 90)
    assert left.seconds() == pytest.approx(2 * one + 20.0)
    clock.time = 40.0
    left.note("pgd", 0.1, 100, 100, 0.8)
    rest = 0.4 * 80 + 0.1 * (100 + 80)
    assert left.seconds() == pytest.approx(40.0 + 2 * rest)
    clock.time = 72.0
    left.note("pgd", 0.2, 80, 80, 0.5)
    for epsilon, images, accuracy, spent in ((0.1, 100, 0.7, 5.0), (0.2, 70, 0.4, 7.0)):
        clock.time += spent
        left.note("mim", epsilon, images, images, accuracy)
    left.end()
    left.begin(PARTS)
    assert clock.time == 84.0
    clock.time += 10.0
    left.note("pgd", 0.1, 25, 100, 1.0)
    assert left.seconds() == pytest.approx(0.4 * 175 + 12 / 170 * 200)


def test_it_ends_at_nothing_for_real_evaluations():
    clock, estimates = Clock(), []
    for name in ("every", "bisection"):
        model, threat_model = Linear(3), ThreatModel("linf", (0.0, 0.01, 0.03))
        attacks = [PGD(steps=3), UniformNoise(repeats=2)]
        left = TimeLeft(1, 60, clock)
        parts = [
            (attack.name, title, epsilon, passes_at_most(stage, searched=epsilon is None))
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
    assert passes_at_most(PGD(steps=10, restarts=2)) == 2 * 31
    assert passes_at_most(Square(queries=300)) == 300
    assert passes_at_most(Square(queries=300), searched=True) == 900


@pytest.mark.parametrize(
    "seconds, words", [(0.2, "1 s"), (75, "75 s"), (600, "10 min"), (12000, "3 h 20 min")]
)
def test_durations_in_words(seconds, words):
    assert in_words(seconds) == words


def test_a_log_gets_a_line_in_thirty_seconds():
    clock, log = Clock(), io.StringIO()
    left = TimeLeft(1, 1000, clock)
    left.begin([("pgd", "pgd", 0.1, 40)])
    with AttackProgress(left, log, clock) as progress:
        progress.title = "model"
        for done in range(0, 1001, 50):
            clock.time += 5.0
            progress("pgd", 0.1, done, 1000, 1.0 - done / 2000)
    lines = log.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0] == (
        "model pgd 0.1: 250 of 1000 images, robust accuracy 0.875, about 90 s left"
    ) or re.fullmatch(r"model pgd 0\.1: 250 of 1000 .* about .* left", lines[0])

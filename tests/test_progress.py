"""What is seen while a run goes on: in a log, at a terminal of 80 columns, in a notebook."""

import contextlib
import io
import os
import pty
import re
import termios
import threading
import time

import keras
import numpy as np
import pytest

from robust_keras import durations, progress_bar
from robust_keras.progress import RunProgress, in_a_row, short_title
from robust_keras.progress_bar import ProgressBar
from robust_keras.time_left import Plan, TimeLeft
from robust_keras.time_spent import FirstLook, Part
from robust_keras.training.training_progress import TrainingProgress


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


PLAN = Plan(
    [
        Part("pgd", "pgd", 0.1, 40),
        Part("pgd", "pgd", 0.2, 40),
        Part("quick: apgd", "quick", 0.1, 40),
        Part("quick: square", "quick", 0.1, 40),
        Part("audit", images=100, forwards=10),
    ],
    FirstLook((1e-3, 1e-3), (1e-3, 2e-3)),
)


def evaluate(stream, clock=None, pause=0.0):
    """The calls of an evaluation of two models."""
    clock = clock or Clock()

    def wait(seconds):
        clock.time += seconds
        time.sleep(pause)

    with RunProgress(stream, clock) as progress:
        after = [Part("report", seconds=3.0)]
        progress.follow(TimeLeft([PLAN, PLAN], 100, clock, after=after))
        for path in ("runs/first/serving", "runs/a_model_with_a_long_name/serving"):
            with progress.model(path):
                for epsilon, accuracy in ((0.1, 0.5), (0.2, 0.25)):
                    for done in (50, 100):
                        wait(5.0)
                        progress("pgd", epsilon, done, 100, accuracy)
                for stage, accuracy in (("apgd", 0.4), ("square", 0.375)):
                    wait(0.07)
                    progress(f"quick: {stage}", 0.1, 50, 50, accuracy)
                with progress.part("audit") as step:
                    wait(2.0)
                    step(1, 2)
                    wait(2.0)
        with progress.part("report"):
            wait(3.0)


def test_a_log_gets_one_line_a_part_and_nothing_twice():
    log = io.StringIO()
    evaluate(log)
    lines = log.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "first pgd",
        "first quick",
        "first audit",
        "...a_long_name pgd",
        "...a_long_name quick",
        "...a_long_name audit",
        "report",
    ]
    assert lines[0].startswith("first pgd: 50.0 % at 0.1, 25.0 % at 0.2, 20 s; 20 s so far, about ")
    assert lines[1].startswith("first quick: 37.5 % at 0.1, 0.14 s; 20 s so far")
    assert lines[2].startswith("first audit: 4.0 s; 24 s so far, about ")
    assert "\r" not in log.getvalue() and "\x1b" not in log.getvalue()
    # The second model and the report are ahead: 24 s and 3 s.
    assert re.search(r"about (2[4-9]|3\d) s left", lines[2])


def test_what_the_audit_may_take_is_told_before_it_attacks_again():
    log = io.StringIO()
    with RunProgress(log) as progress:
        progress.attacks_again(("rough loss", "rising loss", "zero gradients"), 40, 160_000)
    assert log.getvalue().splitlines() == [
        "audit doubts: rough loss, rising loss and 1 more",
        "audit attacks again: 40 images left, at most 160,000 passes",
    ]


def terminal(work, columns=80):
    """What `work(stream)` writes on a terminal."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    found = []

    def read():
        # A terminal that everybody has left answers with an error.
        with contextlib.suppress(OSError):
            while text := os.read(master, 65536):
                found.append(text)

    reader = threading.Thread(target=read)
    reader.start()
    with open(slave, "w", encoding="utf-8") as stream:
        work(stream)
    reader.join()
    os.close(master)
    return b"".join(found).decode("utf-8")


def drawings(text):
    """Every state of the bottom line, without what steers the terminal."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", text)
    return [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]


def test_everything_is_seen_in_80_columns():
    seen = drawings(terminal(evaluate))
    bars = [line for line in seen if "|" in line]
    assert max(map(len, bars)) <= 80
    (bar, *_) = [line for line in bars if line.startswith("...a_long_name pgd 0.2")]
    assert re.search(r"\| 25\.0 %, \d\d s so far, about \d+ s left$", bar)
    assert any(line.startswith("first audit ") for line in bars)
    assert sum(line.startswith("first pgd: ") for line in seen) == 1


def test_a_bar_goes_on_while_nothing_is_reported(monkeypatch):
    monkeypatch.setattr(progress_bar, "_BETWEEN_DRAWINGS", 0.01)
    seconds = iter(range(1000))

    def work(stream):
        with ProgressBar(stream) as bar:
            bar.show("audit", 0, 1, lambda: f"{next(seconds)} s so far")
            time.sleep(0.3)

    assert len({line for line in drawings(terminal(work)) if "s so far" in line}) > 5


def test_a_notebook_gets_its_own_bar(monkeypatch):
    made = []

    class NotebookBar:
        def __init__(self, **settings):
            made.append(settings)

        def refresh(self):
            assert "{bar}" in self.bar_format

        def close(self):
            made.append("closed")

        @staticmethod
        def write(text, file):
            print(text, file=file)

    NotebookBar.__module__ = "tqdm.notebook"
    monkeypatch.setattr("tqdm.auto.tqdm", NotebookBar)
    log = io.StringIO()
    evaluate(log)
    assert len(made) == 2 and made[1] == "closed"
    assert len(log.getvalue().splitlines()) == 7


def test_many_epsilons_fit_into_a_line():
    found = in_a_row({0.01 * n: 1.0 - 0.02 * n for n in range(50)}, 36)
    assert found == "100.0 % at 0, ..., 2.0 % at 0.49"
    assert in_a_row({None: 0.5}, 36) == "50.0 %"
    assert in_a_row({0.1: 0.5, 0.2: 0.25}, 36) == "50.0 % at 0.1, 25.0 % at 0.2"
    assert in_a_row({0.1: 0.5, 0.2: 0.25}, 0) == "25.0 % at 0.2"


@pytest.mark.parametrize("hours", [0, 3])
def test_a_line_of_long_names_and_times_fits_into_80_columns(hours):
    log, clock = io.StringIO(), Clock()
    clock.time = -3600.0 * hours
    with RunProgress(log, clock) as progress:
        progress.follow(TimeLeft([PLAN, PLAN], 100, clock))
        with progress.model("runs/a_model_with_a_long_name"):
            clock.time = 125.0
            for epsilon in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3):
                clock.time += 20.0
                progress("apgd_targeted", epsilon, 100, 100, 0.5)
    (line,) = log.getvalue().splitlines()
    assert len(line) <= 80
    assert re.match(r"\.\.\..*apgd_targeted: .*50\.0 % at 0\.3, .*; .* so far", line)


@pytest.mark.parametrize(
    "path, title",
    [
        ("runs/quickstart/serving", "quickstart"),
        ("runs/quickstart/serving/1", "quickstart"),
        ("model.keras", "model.keras"),
        ("/", "/"),
        ("a_name_of_more_than_18_letters", "...18_letters"),
    ],
)
def test_titles(path, title):
    assert short_title(path)[-8:] == title[-8:] and len(short_title(path)) <= 14


@pytest.mark.parametrize(
    "seconds, roughly, measured",
    [
        (0.07, "1 s", "0.07 s"),
        (4.25, "4 s", "4.2 s"),
        (75, "75 s", "1 min 15 s"),
        (600, "10 min", "10 min 0 s"),
        (12000, "3 h 20 min", "3 h 20 min"),
    ],
)
def test_durations_in_words(seconds, roughly, measured):
    assert durations.roughly(seconds) == roughly
    assert durations.measured(seconds) == measured


def fit(stream, epochs=3, initial_epoch=0):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["accuracy"])
    data = np.zeros((12, 4)), np.zeros((12, 2))
    settings = {"epochs": epochs, "initial_epoch": initial_epoch}
    with TrainingProgress(steps=3, stream=stream, **settings) as progress:
        model.fit(
            *data, batch_size=4, validation_data=data, verbose=0, callbacks=[progress], **settings
        )


def test_training_writes_one_line_an_epoch():
    log = io.StringIO()
    fit(log, initial_epoch=1)
    lines = log.getvalue().splitlines()
    pattern = r"Epoch {}/3: loss \d\.\d+, acc \d\.\d+, val \d\.\d+; [\d.]+ s so far"
    assert re.fullmatch(pattern.format(2) + r", about \d+ s left", lines[0])
    assert re.fullmatch(pattern.format(3) + ", about 4 s left", lines[1])
    assert len(lines) == 2


def test_training_fits_into_80_columns():
    seen = drawings(terminal(fit))
    assert max(map(len, seen)) <= 80
    assert any(re.match(r"Epoch 2/3 .*\| loss .* so far", line) for line in seen)


def test_training_knows_what_is_left_of_epochs_of_unlike_cost():
    clock = Clock()
    progress = TrainingProgress(
        epochs=3, initial_epoch=0, steps=10, cost=lambda epoch: 11.0 if epoch else 1.0,
        stream=io.StringIO(), now=clock,
    )  # fmt: skip
    progress.on_epoch_begin(0)
    for batch in range(10):
        clock.time += 1.0 if batch else 30.0
        progress.on_train_batch_end(batch, {"loss": 1.0})
    clock.time += 5.0
    progress.on_epoch_end(0, {"loss": 1.0})
    assert progress.seconds_left() == pytest.approx(2 * (110.0 + 5.0) + 4.0)

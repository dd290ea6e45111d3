"""A killed evaluation goes on after its last finished batch and ends with the same report."""

import concurrent.futures
import dataclasses
import functools
import os
import threading
import time

import keras
import numpy as np
import pytest
from killed_programs import KILLED, disk_here
from linear_model import GREYS, Linear, answers
from same_report import comparable

from robust_keras import engine
from robust_keras.attacks import PGD, Quick, ThreatModel, UniformNoise
from robust_keras.engine import Journal
from robust_keras.engine.journal import Unrecorded
from robust_keras.engine.shared_journal import SharedJournal
from robust_keras.errors import InputError
from robust_keras.runs.report_directory import ReportDirectory
from robust_keras.settings.config import EvaluateConfig

pytestmark = pytest.mark.usefixtures("graphs_as_written")

ATTACKS = [UniformNoise(repeats=2), PGD(steps=5), Quick(steps=5, targets=1, queries=10)]
# Graphs are compiled once a model and attack.
MODEL = Linear(4)


class Stopped(Exception):
    """What interrupts an evaluation here."""


def run(model, attacks=ATTACKS, **settings):
    return engine.evaluate(
        model,
        GREYS,
        answers(model),
        attacks,
        ThreatModel("linf", (0.01, 0.02, 0.04)),
        batch_size=16,
        seed=0,
        **settings,
    )


def journal(path):
    return Journal(path, functools.partial(path.mkdir, parents=True, exist_ok=True))


def same(one, other):
    """Whether two results agree in all but the time that they took."""
    if dataclasses.is_dataclass(one):
        names = {field.name for field in dataclasses.fields(one)} - {"seconds"}
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return one == other


@pytest.mark.parametrize("sweep", ["every", "bisection"])
@pytest.mark.parametrize("batches", [1, 9])
def test_what_was_stopped_goes_on_after_the_last_batch(tmp_path, batches, sweep):
    model = MODEL
    # `quick` searches whatever the sweep, and what a search has found is judged again.
    attacks = ATTACKS if sweep == "bisection" else ATTACKS[:2]
    asked = functools.partial(run, model, attacks, sweep=sweep)
    whole = asked()
    calls = []

    def stop(*call):
        calls.append(call)
        if len(calls) == batches:
            raise Stopped

    with pytest.raises(Stopped):
        asked(progress=stop, journal=journal(tmp_path / "journal"))
    kept = sorted((tmp_path / "journal").iterdir())
    assert len(kept) >= batches
    resumed = asked(journal=journal(tmp_path / "journal"))
    assert same(whole, resumed)
    assert same(resumed.per_image, whole.per_image)
    before = int(model.seen)
    again = asked(journal=journal(tmp_path / "journal"))
    assert same(whole, again)
    assert again.attacks[1].seconds > 0
    if sweep == "every":
        assert int(model.seen) - before == 120 + 4, "the labels of this test, the clean pass"


def test_a_power_cut_loses_no_batch_that_was_finished(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "fsync", os.fsync)
    config = EvaluateConfig(models=("model.keras",), output_dir=str(tmp_path / "report"))
    disk, directory = disk_here(), ReportDirectory(config)
    kept = Journal(directory.journal_path, directory.begin)
    for number in (1, 2):
        kept.remember(("batch", number), lambda number=number: {"found": np.int64(number)})
    with pytest.raises(Stopped):
        kept.remember(("batch", 3), functools.partial(lose, disk))
    again = Journal(ReportDirectory(config).journal_path, directory.begin)
    assert [again.knows(("batch", number)) for number in (1, 2, 3)] == [True, True, False]
    assert again.remember(("batch", 2), functools.partial(lose, disk))["found"] == 2


def lose(disk):
    disk.lose_the_rest()
    raise Stopped


def at_once(count, work):
    """What `work(place, exchange)` gives or raises in so many threads that exchange bytes."""
    barrier, said = threading.Barrier(count), [b""] * count

    def member(place):
        def exchange(content):
            said[place] = content
            barrier.wait(60)
            heard = list(said)
            barrier.wait(60)
            return heard

        try:
            return work(place, exchange)
        except InputError as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        return list(threads.map(member, range(count)))


def test_processes_share_the_batches_and_find_what_one_finds(tmp_path):
    alone, ours, begun = tmp_path / "alone", tmp_path / "ours", int(MODEL.seen)
    whole = run(MODEL, sweep="bisection", journal=journal(alone))
    price, kept = int(MODEL.seen) - begun, {path.name for path in alone.iterdir()}

    def member(place, exchange):
        own = Unrecorded() if place else journal(ours)
        return run(MODEL, sweep="bisection", journal=SharedJournal(own, exchange, place))

    for taken_away in (0, len(kept) // 2):
        for path in sorted(ours.iterdir())[:taken_away] if taken_away else ():
            path.unlink()
        before = int(MODEL.seen)
        assert all(same(whole, found) for found in at_once(3, member))
        # What is no attack is computed by each.
        assert int(MODEL.seen) - before < 1.5 * price
        assert {path.name for path in ours.iterdir()} == kept


def test_processes_that_come_to_other_numbers_are_told_apart():
    def member(place, exchange):
        shared = SharedJournal(Unrecorded(), exchange, place)
        shared.remember(("common",), dict)
        return shared.remember((f"key of {place // 2}",), dict)

    for error in at_once(3, member):
        assert "the same numbers in all processes" in str(error)
        assert str(error).endswith("received others in process 3 of 3 than in the first")


def test_nothing_is_taken_from_another_evaluation(tmp_path):
    model, path = MODEL, tmp_path / "journal"
    run(model, journal=journal(path))
    files = len(list(path.iterdir()))
    other = engine.evaluate(
        model,
        GREYS,
        answers(model),
        ATTACKS,
        ThreatModel("linf", (0.01, 0.02, 0.04)),
        batch_size=16,
        seed=1,
        journal=journal(path),
    )
    assert len(list(path.iterdir())) > files
    assert not same(other.examples, run(model).examples)


def test_a_file_that_is_not_whole_is_made_again(tmp_path):
    model, path = MODEL, tmp_path / "journal"
    whole = run(model, journal=journal(path))
    first, second, third, fourth, *others = sorted(path.iterdir())
    first.write_bytes(first.read_bytes()[:100])
    second.write_bytes(b"")
    third.write_bytes(fourth.read_bytes())
    for number, entry in enumerate(others):
        content = bytearray(entry.read_bytes())
        content[number * 131 % len(content)] ^= 1 << number % 8
        entry.write_bytes(content)
    assert same(whole, run(model, journal=journal(path)))
    assert first.stat().st_size > 100


def test_a_directory_in_an_entrys_place_is_one_line(tmp_path):
    kept = Journal(tmp_path, tmp_path.mkdir)
    kept._begun = True
    kept.remember("key", lambda: {"value": 1})
    (entry,) = tmp_path.iterdir()
    entry.unlink()
    entry.mkdir()
    with pytest.raises(InputError, match=f"{entry.name}: expected a place that can be written to"):
        kept.remember("key", lambda: {"value": 1})


def test_the_clock_of_a_journal_counts_what_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "journal"
    first = run(MODEL, journal=journal(path))
    seconds = sum(result.seconds for result in first.attacks)
    resumed = journal(path)
    start = time.monotonic()
    begun = resumed.now()
    run(MODEL, journal=resumed)
    counted = resumed.now() - begun
    assert counted > time.monotonic() - start
    assert counted > 0.2 * seconds


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A tiny model and images, and what an evaluation of them that is not stopped reports."""
    path = tmp_path_factory.mktemp("world")
    random = np.random.default_rng(0)
    images = random.uniform(size=(80, 8, 8, 1)).astype(np.float32)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    labels = np.argmax(model(images), axis=1)
    labels[:3] = (labels[:3] + 1) % 3
    np.savez(path / "mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    model.save(path / "model.keras")
    return path


FLAGS = ["--models=model.keras", "--dataset=mine.npz", "--batch_size=16", "--keep_examples"]
FLAGS += ["--attacks=fgsm,pgd", "--epsilons=0.01,0.05", "--output_dir=report"]
FLAGS += ["--minimal_epsilon", "--minimal_attack=pgd", "--unusual=noisy,fooling_gradient"]
FLAGS += ["--fooling_steps=20", "--transfer", "--transfer_attack=fgsm"]
FLAGS += ["--substitute", "--substitute_images=10"]


def test_a_killed_process_goes_on_and_reports_the_same(world, run_killed):
    kept = world / "report" / "journal"
    # All but the substitute: 35 batches of attacks and audit, 37 of smallest epsilons, 2 kinds of
    # unusual inputs and 10 batches of examples to transfer.
    first, other, second = run_killed(
        world,
        ["evaluate", FLAGS, ["os.rename", ".npz", 13]],
        ["evaluate", [*FLAGS, "--seed=1"], None],
        ["evaluate", FLAGS, ["os.rename", ".npz", 73]],
    )
    assert (first[0], other[0], second[0]) == (KILLED, 2, KILLED)
    assert not (world / "report" / "report.json").exists()
    assert "the same settings; received report, begun with --seed=0" in other[1]
    assert len(list(kept.glob("*.npz"))) == 12 + 72, "nothing is lost or done again"
    # In a fork of its own as well: what else a process ran may move the last bits.
    resumed, whole = run_killed(
        world,
        ["evaluate", FLAGS, None],
        ["evaluate", [*FLAGS, "--output_dir=whole"], None],
    )
    assert (resumed[0], whole[0]) == (0, 0), resumed[1]
    assert not kept.exists()
    whole, resumed = (world / name for name in ("whole", "report"))
    assert comparable((resumed / "report.json").read_text()) == comparable(
        (whole / "report.json").read_text()
    )
    for name in ("examples.csv", "adversarial_examples.npz"):
        assert (resumed / name).read_bytes() == (whole / name).read_bytes(), name
    tables = (resumed / "examples.csv").read_text().splitlines()
    assert len(tables) == 81


def refused(config):
    with pytest.raises(InputError) as caught:
        ReportDirectory(config)
    return str(caught.value)


def test_a_directory_is_gone_on_with_only_by_the_same_evaluation(world, tmp_path, monkeypatch):
    monkeypatch.chdir(world)
    config = EvaluateConfig(
        models=("model.keras",), dataset="mine.npz", output_dir=str(tmp_path / "new")
    )
    directory = ReportDirectory(config)
    assert not directory.path.exists(), "nothing is written before there is something to keep"
    directory.begin()
    assert ReportDirectory(config).journal_path == directory.journal_path
    other = dataclasses.replace(config, epsilons=(0.1, 0.2), attacks=("pgd",))
    text = "begun with --attacks=uniform_noise,fgsm,pgd,mim --epsilons=0.05,0.1,0.2,0.3"
    assert refused(other).endswith(text)
    model = world / "model.keras"
    content = model.read_bytes()
    model.write_bytes(content)
    ReportDirectory(config)
    model.write_bytes(content[:-1])
    assert "an unfinished run of the same files" in refused(config)
    model.write_bytes(content)
    begun = (directory.path / "config.json").read_text()
    (directory.path / "config.json").write_text(begun[:50])
    assert "a readable config.json" in refused(config)
    (directory.path / "config.json").write_text(begun)
    ReportDirectory(config)
    (directory.path / "report.json").write_text("{}")
    assert "holds report.json" in refused(config)

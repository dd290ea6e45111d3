"""Several processes at one study: each step is run once, and after those that it reads."""

import dataclasses
import os
import pathlib
import threading
import time

import pytest

from robust_keras.directories import lock
from robust_keras.errors import InputError
from robust_keras.runs import provenance
from robust_keras.settings.study import StudyConfig
from robust_keras.studies import all_studies, assistants, command, running
from robust_keras.studies.known import Known
from robust_keras.studies.study import Form, Make, Place
from robust_keras.studies.turns import Turns

_FORM = Form("", steps=None)
_PRUNING = all_studies.STUDIES["pruning"]


def _made(name, done, needs=()):
    def make(place, images):
        begun = time.perf_counter()
        time.sleep(0.05)
        (place.directory / f"of-{name}").touch()
        done.append((name, begun, time.perf_counter()))
        return {}

    return Make(name, make, 1, needs=needs, makes=f"of-{name}")


def test_each_step_is_run_once_and_after_what_it_reads(tmp_path):
    done: list = []
    chains = [(f"a{n}", f"b{n}") for n in range(6)]
    first = [_made(one, done) for one, _ in chains]
    then = [_made(other, done, (f"of-{one}",)) for one, other in chains]
    last = _made("last", done, tuple(f"of-{other}" for _, other in chains))
    steps = (*(step for pair in zip(first, then, strict=True) for step in pair), last)
    runs, marks = tmp_path / "runs", tmp_path / "marks"
    runs.mkdir(), marks.mkdir()
    assert len(running.ready(steps, _FORM, Known(runs))) == 6

    def one():
        running.run(steps, _FORM, Place(runs), Known(runs), lambda: None, Turns(marks))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = {name: (begun, ended) for name, begun, ended in done}
    assert len(done) == len(times) == 13
    assert all(times[other][0] >= times[one][1] for one, other in chains)
    assert times["last"][0] >= max(ended for name, (_, ended) in times.items() if name != "last")


def test_a_step_that_another_process_is_at_is_left_to_it(tmp_path):
    one, other = Turns(tmp_path), Turns(tmp_path)
    with one.taken(["train-a", "make-b"]) as ours:
        with other.taken(["make-b"]) as theirs, other.taken(["make-c"]) as free:
            assert ours and not theirs and free
    with other.taken(["make-b"]) as theirs, Turns().taken(["make-b"]) as alone:
        assert theirs and alone


def test_where_the_file_system_has_no_locks_the_one_that_leads_does_everything(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(lock, "fcntl", None)
    for leads in (True, False):
        with Turns(tmp_path, leads).taken(["train-a"]) as ours:
            assert ours is leads


def test_an_assistant_runs_what_the_one_that_leads_has_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "cores", lambda: 2)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    config = StudyConfig(study="pruning", smoke=True, output_dir=str(tmp_path), processes=2)
    form = _PRUNING.forms["smoke"]
    finished = Known(tmp_path)
    # Every process holds more than one byte: a new one comes after each step.
    with assistants.turns(config, pathlib.Path(tmp_path), 2, enough=1):
        while not all(map(finished.has, _PRUNING.steps[: form.steps])):
            time.sleep(0.1)
    said = (tmp_path / "process-2.log").read_text()
    assert "[1/2] train" in said and "[2/2] evaluate" in said
    assert not list(tmp_path.glob("*.json")), "pages are the leader's"
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ, "that ends with the assistants"
    command.main(dataclasses.replace(config, pages_only=True))
    assert (tmp_path / "pruning.md").is_file()


def test_a_process_that_holds_enough_memory_is_replaced(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(provenance, "cores", lambda: 1)
    config = StudyConfig(study="pruning", smoke=True, output_dir=str(tmp_path), processes=1)
    form, finished, written = _PRUNING.forms["smoke"], Known(tmp_path), []
    # Every process holds more than that, so each runs one step.
    with assistants.turns(config, pathlib.Path(tmp_path), 1, enough=1) as turns:
        assert turns.holds_enough()
        place = Place(tmp_path)
        running.run(_PRUNING.steps, form, place, finished, lambda: written.append(1), turns)
    said = capfd.readouterr().out
    assert said.count("another goes on in its place") == 1
    assert "[1/2] train" in said and "[2/2] evaluate" in said
    assert len(written) == 2 and all(map(finished.has, _PRUNING.steps[: form.steps]))


def test_one_that_fails_is_not_replaced(tmp_path):
    alive = iter([True, False])
    turns = Turns(tmp_path, relief=lambda: lambda: next(alive), enough=1)
    assert turns.relieved() and not turns.relieved()
    assert not Turns(tmp_path, enough=1).relieved(), "nothing to start"
    assert not Turns(tmp_path, relief=lambda: lambda: True, enough=2**50).relieved()


def test_what_was_made_of_another_recipe_is_refused(tmp_path):
    one, other = _made("one", []), _made("other", [], ("of-one",))
    place = Place(tmp_path)
    running.run((one, other), _FORM, place, Known(tmp_path), lambda: None)
    running.check_same((one, other), _FORM, place)
    changed = (dataclasses.replace(one, images=2), other)
    with pytest.raises(InputError, match="one.json was made of .*delete that file"):
        running.check_same(changed, _FORM, place)
    (tmp_path / "one.json").unlink()
    running.run(changed, _FORM, place, Known(tmp_path), lambda: None)
    with pytest.raises(InputError, match="other.json was made of"):
        running.check_same(changed, _FORM, place)

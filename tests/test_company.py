"""Several processes share the models of an evaluation, and find what one finds."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from same_report import comparable

from robust_keras.directories import lock
from robust_keras.programs import assistants
from robust_keras.runs import provenance
from robust_keras.runs.company import Alone, Company
from robust_keras.settings.config import EvaluateConfig

ROOT = pathlib.Path(__file__).parent.parent
MODELS = ("a.keras", "b.keras", "c.keras")
# Notes which process attacks. That which leads waits for the other, or for ever; the other dies in
# its second model, which the first one has to make up for.
PLUGIN = """
import os, pathlib, time
import toy_attack
from robust_keras import attacks

HERE = pathlib.Path(__file__).parent
ALONE, FOREVER = (HERE / "alone").exists(), (HERE / "forever").exists()

class Noting(toy_attack.ToyAttack):
    name = "noting"

    def propose(self, classifier, images, labels, **given):
        mine = HERE / f"pid-{os.getpid()}"
        again = mine.exists()
        mine.touch()
        leads = ALONE or str(os.getppid()) == os.environ.get("leader")
        while not ALONE and leads and (FOREVER or len(list(HERE.glob("pid-*"))) == 1):
            time.sleep(0.1)
        if again and not leads:
            os.kill(os.getpid(), 9)
        return super().propose(classifier, images, labels, **given)

attacks.register(Noting)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Three tiny models, images, and the attack that notes who makes it."""
    path = tmp_path_factory.mktemp("company")
    images = np.random.default_rng(0).uniform(size=(30, 6, 6, 1)).astype(np.float32)
    labels = (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int64)
    np.savez(path / "mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    for number, name in enumerate(MODELS):
        keras.utils.set_random_seed(number)
        layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
        keras.Sequential(layers).save(path / name)
    (path / "toy_attack.py").write_text((ROOT / "tests" / "toy_attack.py").read_text())
    (path / "plugin.py").write_text(PLUGIN)
    return path


FLAGS = [f"--models={','.join(MODELS)}", "--dataset=mine.npz", "--plugins=plugin.py"]
FLAGS += ["--attacks=fgsm,noting", "--epsilons=0.05"]


def forget_who_attacked(world):
    for mark in world.glob("pid-*"):
        mark.unlink()


def start_two(world, directory):
    forget_who_attacked(world)
    command = [sys.executable, str(ROOT / "evaluate.py"), *FLAGS]
    command += ["--processes=2", f"--output_dir={directory}"]
    environment = {**os.environ, "PYTHONPATH": str(world), "leader": str(os.getpid())}
    return subprocess.Popen(
        command, cwd=world, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def processes_seen(world):
    return {int(mark.name.removeprefix("pid-")) for mark in world.glob("pid-*")}


def test_two_processes_find_what_one_finds_though_the_second_dies(world, run_code):
    shared = start_two(world, "shared")
    output = shared.communicate(timeout=300)[0].decode()
    assert shared.returncode == 0, output
    assert len(processes_seen(world)) == 2
    lines = [line.partition(":")[0] for line in output.splitlines() if " so far" in line]
    assert sorted(lines) == sorted(
        [*(f"{name} {part}" for name in "abc" for part in ("fgsm", "noting", "audit")), "report"]
    ), "each part has its line, whoever made it"
    (world / "alone").touch()
    forget_who_attacked(world)
    code = f"import runpy, sys; sys.path.insert(0, {str(world)!r});"
    code += f"runpy.run_path({str(ROOT / 'evaluate.py')!r}, run_name='__main__')"
    alone = run_code(code, *FLAGS, "--processes=1", "--output_dir=alone_report", cwd=world)
    assert alone.returncode == 0, alone.output
    (world / "alone").unlink()
    assert len(processes_seen(world)) == 1
    one, two = (
        comparable((world / name / "report.json").read_text())
        for name in ("alone_report", "shared")
    )
    assert one == two
    assert not (world / "shared" / "journal").exists()


def test_the_others_end_with_the_one_that_leads(world):
    (world / "forever").touch()
    leader = start_two(world, "killed")
    deadline = time.monotonic() + 120
    while len(processes_seen(world)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    leader.send_signal(signal.SIGKILL)
    leader.wait()
    (other,) = processes_seen(world) - {leader.pid}
    deadline = time.monotonic() + 60
    while _lives(other) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _lives(other)


def _lives(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_takes_what_no_other_has_begun(tmp_path):
    one = Company(tmp_path, 2, True, lambda agreed: agreed)
    other = Company(tmp_path, 2, False, lambda _: "agreed")
    assert (one.agreed(lambda: "mine"), other.agreed(lambda: "mine")) == ("mine", "agreed")
    ours, theirs, looks = one.turns("attack", 4), other.turns("attack", 4), []
    assert (next(ours), next(theirs), next(theirs)) == (0, 3, 2)
    assert next(ours) == 1
    waiting = other.turns("judge", 2, looks.append)
    assert next(waiting) == 1
    assert list(one.left("judge", 2)) == [0], "1 is the other's"
    # The other is at 2 and has done 3; once it has gone, 2 is free as well.
    assert next(ours) == 3
    theirs.close()
    assert list(ours) == [2]
    # What is done is done again from the journal, but by nobody who only helps.
    assert list(other.turns("attack", 4)) == [3, 2, 1, 0]
    assert list(other.left("attack", 4)) == []
    assert list(Alone().turns("attack", 3)) == list(Alone().left("attack", 3)) == [0, 1, 2]


def test_where_the_file_system_has_no_locks_the_one_that_leads_does_everything(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(lock, "fcntl", None)
    one, other = (Company(tmp_path, 2, leads, lambda agreed: agreed) for leads in (True, False))
    assert list(one.turns("attack", 3)) == [0, 1, 2]
    assert list(other.left("attack", 3)) == []


def test_how_many_processes_there_are(monkeypatch):
    monkeypatch.setattr(provenance, "cores", lambda: 4)
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)

    def count(models, **settings):
        return assistants.processes(EvaluateConfig(models=models, **settings))

    assert count(("a",)) == 1
    assert count(("a", "b")) == 2
    assert count(("a", "b"), processes=1) == count(("a", "b"), transfer=True) == 1
    assert count(("a", "b", "c"), processes=8) == 3
    assert count(("a", "b"), distribute="mirrored") == 1
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")
    assert count(("a", "b")) == 1, "whoever sets it has decided"
    assert count(("a", "b"), processes=2) == 2

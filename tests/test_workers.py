"""Several processes: one process' losses, equal weights, resumed; its report; refusals; starts."""

import json
import os
import pathlib
import re
import socket
import subprocess
import textwrap
import types

import keras
import killed_programs
import numpy as np
import pytest

from robust_keras import cluster
from robust_keras.errors import InputError
from robust_keras.runs import shared_evaluation
from robust_keras.settings.config import EvaluateConfig

ROOT = pathlib.Path(__file__).parent.parent
# Every process is a fork of one that has imported TensorFlow. Two train three times and three once,
# on images that they read, and follow what one does alone with all in memory. Two attack, of whom
# the first dies, and then go on.
WORKERS = """
import json, os, sys, tempfile, types
tempfile.tempdir = os.environ["TMPDIR"] = sys.argv[1]
sys.path[:0] = [".", "tests"]
import killed_programs
evaluate = killed_programs.programs()["evaluate"]
import keras
import numpy as np
import tensorflow as tf
from test_fit import config, csv_rows, images, network
from test_workers import tf_config
from robust_keras import cluster, distribution, training
from robust_keras.runs import training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.data import ImageSplit
from robust_keras.training import workers
root, hosts = sys.argv[1], json.loads(sys.argv[2])

class OnDisk:
    # As data.StreamedImages, of which each process reads its part of every batch alone.
    dtype, ndim = np.dtype(np.uint8), 4
    def __init__(self, pixels):
        self.pixels, self.shape, self.image_shape = pixels, pixels.shape, pixels.shape[1:]
    def __len__(self):
        return len(self.pixels)
    def __getitem__(self, places):
        return OnDisk(self.pixels[places])
    def __array__(self, dtype=None, copy=None):
        return self.pixels.astype(dtype or np.uint8)
    def gather(self, places):
        return tf.gather(self.pixels, places)

def split():
    held = images()
    pixels = np.uint8(255 * held.images)
    return ImageSplit(OnDisk(pixels) if sys.argv[1:] else pixels, held.labels)

def plain():
    return keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(),
                             keras.layers.Dense(8, "relu"), keras.layers.Dense(2)])

def trained(strategy, build, path, **changes):
    settings = config(path, optimizer="sgd", augment=False, **changes)
    training.make_reproducible(0)
    with strategy.scope():
        model = build()
        training_run.fit(model, split(), settings, TrainingDirectory(settings))
    return [[float(v).hex() for v in w.flatten()] for w in model.get_weights()], settings

# Four epochs of five steps.
steps = dict(epochs=4, batch_size=12, validation_fraction=0.0, final_sparsity=0.5,
             pruning_begin=0.0, pruning_frequency=4)
robust = dict(adversarial="pgd", adversarial_steps=2, train_epsilon=0.1, validation_fraction=0.1)

def work():
    distribute = "multi_worker" if sys.argv[1:] else "none"
    spread, found = distribution.strategy(distribute, batch_size=12), {}
    place = cluster.this_worker().place if sys.argv[1:] else "alone"
    ours = f"{root}/{len(sys.argv)}-{place}"
    found["weights"], settings = trained(spread, plain, ours, **steps)
    found["losses"] = [float(row["loss"]) for row in csv_rows(settings)]
    if len(sys.argv) == 3:
        found["normalised"], _ = trained(spread, network, ours + "robust", epochs=1, **robust)
        # Only the first process has a checkpoint to go on from.
        later = f"{root}/{'nothing' if place else '3-0'}"
        found["resumed"], _ = trained(spread, plain, later, **steps)
    print("\\n" + json.dumps(found))
    workers.leave_together(spread)

def ended(program, arguments, hosts, end=None):
    configs = [{"TF_CONFIG": tf_config({"worker": hosts}, index=n)} for n in range(len(hosts))]
    ends = [end, *[None] * len(hosts)]
    steps = [killed_programs.Step(program, arguments, *each)
             for each in zip(ends, configs or [{}])]
    return [step.result() for step in steps]

def trainings(hosts):
    found = ended(types.SimpleNamespace(__name__="work", run=work), hosts, hosts)
    if any(code for code, _ in found):
        raise SystemExit("\\n".join(output[-1500:] for _, output in found))
    return [json.loads(output.splitlines()[-1]) for _, output in found]

def reports(end, *hosts):
    name = "shared" if hosts else "alone"
    arguments = ["--models=model.keras", "--dataset=mine.npz", "--attacks=fgsm,pgd",
                 "--batch_size=8", "--epsilons=0.01,0.05", "--keep_examples",
                 f"--output_dir={name}"]
    arguments += ["--distribute=multi_worker"] if hosts else []
    return ended(evaluate, arguments, hosts, end)

found = {"trained": [trainings(each) for each in ([], hosts[:2], hosts[2:5])]}
os.chdir(root)
dies = ["os.rename", ".npz", 2]
found["reported"] = [reports(None), reports(dies, *hosts[5:7]), reports(None, *hosts[7:])]
print(json.dumps(found))
"""


def free_hosts(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return [f"127.0.0.1:{port}" for port in ports]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Where the processes work: a tiny data set and model."""
    path = tmp_path_factory.mktemp("workers")
    random = np.random.default_rng(0)
    images = random.uniform(size=(40, 8, 8, 1)).astype(np.float32)
    labels = (images.mean(axis=(1, 2, 3)) > 0.5).astype(np.int64)
    np.savez(path / "mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.utils.set_random_seed(0)
    keras.Sequential(layers).save(path / "model.keras")
    return path


@pytest.fixture(scope="module")
def found(directory, run_code):
    """What all of them have found."""
    done = run_code(WORKERS, directory, json.dumps(free_hosts(9)))
    assert done.returncode == 0, done.output[-3000:]
    return json.loads(done.output.splitlines()[-1])


@pytest.fixture(scope="module")
def trained(found):
    """Of one that trains alone, of each of two and of each of three."""
    return found["trained"]


def tf_config(jobs, kind="worker", index=0):
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


def test_two_and_three_processes_have_the_losses_of_one(trained):
    (alone,), *clusters = trained
    assert len(alone["losses"]) == 4
    assert alone["losses"][-1] < 0.9 * alone["losses"][0]
    for processes in clusters:
        for each in processes:
            assert each["losses"] == pytest.approx(alone["losses"], rel=1e-4)
    assert [len(processes) for processes in clusters] == [2, 3]


def test_all_processes_end_with_the_same_bits(trained):
    _, (first, second), three = trained
    assert first["weights"] == second["weights"]
    assert first["normalised"] == second["normalised"]
    assert three[0]["weights"] == three[1]["weights"] == three[2]["weights"]
    pruned = np.array([float.fromhex(value) for value in first["weights"][0]])
    assert np.mean(pruned == 0.0) == pytest.approx(0.5, abs=0.01)


def test_the_others_go_on_from_what_the_first_one_has_kept(trained):
    _, (first, second), _ = trained
    assert first["resumed"] == second["resumed"] == first["weights"]


def test_two_processes_write_the_report_of_one(found, directory):
    (alone,), _, (first, second) = found["reported"]
    assert (alone[0], first[0], second[0]) == (0, 0, 0), first[1] + second[1]
    assert second[1].startswith("worker 2 of 2; the first one writes and tells\n")
    ours, theirs = (killed_programs.left(directory / name) for name in ("shared", "alone"))
    reports = [json.loads(files.pop("report.json")) for files in (ours, theirs)]
    settings = [report["resolved_settings"].pop("distribute") for report in reports]
    assert settings == ["multi_worker", "none"]
    assert reports[0] == reports[1]
    assert ours == theirs and "adversarial_examples.npz" in ours


def test_a_process_whose_partner_has_died_says_so(found, directory):
    _, (first, second), _ = found["reported"]
    assert first[0] == killed_programs.KILLED
    # TensorFlow has words of its own before.
    *_, line = second[1].splitlines()
    assert (second[0], "Traceback" in second[1]) == (1, False)
    assert line.startswith("error: another process of the cluster has stopped")
    assert "the same command in every process goes on from here" in line
    assert len(list(directory.glob("robust_keras-error-*"))) == 1


def test_a_model_of_chance_is_not_shared():
    replicas = types.SimpleNamespace(first=types.SimpleNamespace(deterministic=False, path="m"))
    config = EvaluateConfig(models=("m",), distribute="multi_worker")
    with pytest.raises(InputError, match="none or mirrored, as m is random"):
        shared_evaluation.check(config, [replicas])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        tf_config({"worker": ["a:1"]}, index=1),
        tf_config({"worker": ["a:1"]}, kind="ps"),
        tf_config({"worker": ["a:1"], "ps": ["b:1"]}),
    ],
)
def test_a_cluster_that_is_none_is_told(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match="TF_CONFIG: expected a cluster and a task"):
        cluster.this_worker()


def test_the_chief_comes_before_the_workers(monkeypatch):
    jobs = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    found = []
    for kind, index in (("chief", 0), ("worker", 0), ("worker", 1)):
        monkeypatch.setenv("TF_CONFIG", tf_config(jobs, kind, index))
        found.append(cluster.this_worker())
    assert [(worker.place, worker.count, worker.is_chief) for worker in found] == [
        (0, 3, True),
        (1, 3, False),
        (2, 3, False),
    ]


# Stands in for Python: notes the task and the arguments that it was given, a file a process.
TOLD = """#!/usr/bin/env bash
printf '%s\\0' "$TF_CONFIG" "$PWD" "$@" >"{directory}/told-$$"
"""
# Stands in for ssh: as a login shell does, takes one line of text.
SSH = """#!/usr/bin/env bash
[[ $# == 2 && $1 =~ ^(one|two)$ ]] && exec bash -c "$2"
"""
# The second process ends in error, and the first would wait for it.
DYING = """#!/usr/bin/env bash
[[ $TF_CONFIG == *'"index":1'* ]] && exit 3
exec sleep 300
"""


def script(path, text):
    path.write_text(text.format(directory=path.parent) if text is TOLD else text)
    path.chmod(0o755)
    return str(path)


def told(directory, monkeypatch):
    """By place in the cluster: how many processes it has, their hosts, and what each was given."""
    found = {}
    for path in directory.glob("told-*"):
        config, where, *arguments = path.read_text().split("\0")[:-1]
        monkeypatch.setenv("TF_CONFIG", config)
        worker, hosts = cluster.this_worker(), json.loads(config)["cluster"]["worker"]
        found[worker.place] = (worker.count, hosts, where, arguments)
    return found


def started_by_ssh(tmp_path, python):
    names = {"SSH": script(tmp_path / "ssh", SSH), "PYTHON": script(tmp_path / "python", python)}
    arguments = ["one two:2223", "--flagfile=configs/mnist_robust.cfg", "--output_dir=it's here"]
    return subprocess.run(
        [ROOT / "configs/cluster/ssh.sh", *arguments],
        env=os.environ | names,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
    )


def test_ssh_starts_the_same_command_on_each_machine(tmp_path, monkeypatch):
    done = started_by_ssh(tmp_path, TOLD)
    assert done.returncode == 0, done.stderr
    given = ["train.py", "--distribute=multi_worker", "--flagfile=configs/mnist_robust.cfg"]
    each = (2, ["one:2222", "two:2223"], str(ROOT), [*given, "--output_dir=it's here"])
    assert told(tmp_path, monkeypatch) == {0: each, 1: each}


def test_ssh_ends_all_where_one_ends_in_error(tmp_path):
    assert started_by_ssh(tmp_path, DYING).returncode == 3


def test_kubernetes_starts_the_same_command_in_each_pod(tmp_path, monkeypatch):
    text = (ROOT / "configs/cluster/kubernetes.yaml").read_text(encoding="utf-8")
    command = textwrap.dedent(re.search(r"- \|\n(.*?)\n +ports:", text, re.DOTALL)[1])
    script(tmp_path / "python", TOLD)
    for index in ("0", "1"):
        names = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": index}
        subprocess.run(["bash", "-c", command], env=os.environ | names, cwd=ROOT, check=True)
    found = told(tmp_path, monkeypatch)
    count, hosts, _, arguments = found[0]
    assert found[1] == found[0] and f"completions: {count}\n" in text
    # The names of its pods, as Kubernetes makes them of a job and its service.
    job, service = (re.search(rf"{kind}: (.+)", text)[1] for kind in ("job-name", "subdomain"))
    assert hosts == [f"{job}-{place}.{service}:2222" for place in range(count)]
    assert text.count(f"  name: {job}\n") == 2 and job == service
    assert "containerPort: 2222\n" in text
    assert arguments[:1] == ["train.py"] and "--distribute=multi_worker" in arguments

"""Training over several processes: one process' losses, equal weights, resumed, and refusals."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

from robust_keras import cluster
from robust_keras.errors import InputError

ROOT = pathlib.Path(__file__).parent.parent
# Each process trains three times with the other one; the first then repeats one of them alone.
WORKER = """
import json, sys
sys.path[:0] = [".", "tests"]
from robust_keras.quiet_start import start_tensorflow
start_tensorflow()
import tensorflow as tf
from robust_keras import cluster, distribution
spread = distribution.strategy("multi_worker", batch_size=8)
import keras
from test_fit import config, csv_rows, images, network
from robust_keras import training
from robust_keras.runs import training_run
from robust_keras.runs.run_directory import TrainingDirectory
from robust_keras.training import workers
chief, root = cluster.this_worker().is_chief, sys.argv[1]

def plain():
    return keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Flatten(),
                             keras.layers.Dense(8, "relu"), keras.layers.Dense(2)])

def trained(strategy, build, path, **changes):
    settings = config(path, optimizer="sgd", augment=False, **changes)
    training.make_reproducible(0)
    with strategy.scope():
        model = build()
        training_run.fit(model, images(), settings, TrainingDirectory(settings))
    return [[float(v).hex() for v in w.flatten()] for w in model.get_weights()], settings

pruned = dict(epochs=3, final_sparsity=0.5, pruning_begin=0.0, pruning_frequency=4)
robust = dict(adversarial="pgd", adversarial_steps=2, train_epsilon=0.1, validation_fraction=0.1)
ours = f"{root}/{chief}"
found = {}
found["weights"], settings = trained(spread, plain, ours + "plain", **pruned)
found["rows"] = csv_rows(settings)
found["normalised"], _ = trained(spread, network, ours + "robust", epochs=1, **robust)
# Only the first process has a checkpoint to go on from.
later = f"{root}/{'Trueplain' if chief else 'nothing'}"
found["resumed"], _ = trained(spread, plain, later, **pruned)
if chief:
    _, settings = trained(tf.distribute.get_strategy(), plain, f"{root}/alone", **pruned)
    found["alone_rows"] = csv_rows(settings)
print(json.dumps(found))
workers.leave_together(spread)
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for opened in sockets:
        opened.bind(("127.0.0.1", 0))
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """What each of two processes has found."""
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    path = str(tmp_path_factory.mktemp("workers"))
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, path],
            cwd=ROOT,
            env={**os.environ, "TF_CONFIG": tf_config({"worker": hosts}, index=index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(2)
    ]
    try:
        ended = [process.communicate(timeout=400) for process in running]
    finally:
        for process in running:
            process.kill()
    for process, (_, errors) in zip(running, ended, strict=True):
        assert process.returncode == 0, errors[-2000:]
    return [json.loads(output.splitlines()[-1]) for output, _ in ended]


def tf_config(jobs, kind="worker", index=0):
    return json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}})


def test_two_processes_have_the_losses_of_one(processes):
    first, second = processes
    losses = [float(row["loss"]) for row in first["rows"]]
    assert len(losses) == 3
    assert losses == pytest.approx([float(row["loss"]) for row in first["alone_rows"]], rel=1e-4)
    assert [row["loss"] for row in second["rows"]] == [row["loss"] for row in first["rows"]]


def test_all_processes_end_with_the_same_bits(processes):
    first, second = processes
    assert first["weights"] == second["weights"]
    assert first["normalised"] == second["normalised"]
    pruned = np.array([float.fromhex(value) for value in first["weights"][0]])
    assert np.mean(pruned == 0.0) == pytest.approx(0.5, abs=0.01)


def test_the_others_go_on_from_what_the_first_one_has_kept(processes):
    first, second = processes
    assert first["resumed"] == second["resumed"] == first["weights"]


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

"""Several workers, real processes that meet over the network, train what one process trains."""

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
from robust_keras.settings.config import EvaluateConfig, TrainConfig

ROOT = pathlib.Path(__file__).parent.parent
SCRIPT = """
import json, sys
sys.path[:0] = ["."]
from robust_keras import distribution
strategy = distribution.strategy(sys.argv[1], batch_size=8)
import keras
import numpy as np
from robust_keras.data import pipeline
from robust_keras.data.datasets import ImageSplit
from robust_keras.training import pruning
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training.averaging import read_variable
from robust_keras.training.checkpoint import BestCheckpoint, LastCheckpoint
from robust_keras.training.workers import SameStatistics, over_workers
images = np.random.default_rng(0).uniform(size=(90, 6, 6, 1)).astype("float32")
split = ImageSplit(images, np.argmax(images.reshape(90, -1)[:, :3], axis=1))
where = sys.argv[2]

def trained(middle, epochs, method=None, name=None, callbacks=()):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Flatten(), keras.layers.Dense(7), middle, keras.layers.Dense(3)]
    model = keras.Sequential([keras.layers.Input((6, 6, 1)), *layers])
    if method:
        settings = AdversarialSettings(method=method, epsilon=0.1, steps=2, random_start=False)
        model = AdversarialTraining(model, settings, batch_size=8)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
    batches = pipeline.training_dataset(split, batch_size=8, seed=0, epochs=epochs)
    losses = []
    told = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda _, logs: losses.append(logs["loss"]))
    kept = LastCheckpoint(f"{where}/{name}.npz"), BestCheckpoint(f"{where}/{name}.keras")
    first = kept[0].restore(model)
    held_out = pipeline.evaluation_dataset(split.select(slice(10)), batch_size=8)
    with over_workers(model, batches):
        logs = model.fit(batches, epochs=epochs, initial_epoch=first, steps_per_epoch=11,
                  shuffle=False, verbose=0, validation_data=held_out,
                  callbacks=[SameStatistics(), *callbacks, told, *kept]).history
    weights = [float(np.sum(read_variable(w), dtype=np.float64)) for w in model.weights]
    return {"losses": losses, "weights": weights, "first": first, "logs": logs}

with strategy.scope():
    found = {"plain": trained(keras.layers.Activation("tanh"), 2, name="plain")}
    found["pgd"] = trained(keras.layers.Activation("tanh"), 1, "pgd", "pgd")
    pruner = pruning.PruneLowMagnitude(pruning.constant_sparsity(0.5, 1, 4, frequency=1))
    normalised = keras.layers.BatchNormalization()
    found["normalised"] = trained(normalised, 2, name="bn", callbacks=[pruner])
    # The first worker alone has this checkpoint.
    found["resumed"] = trained(keras.layers.Activation("tanh"), 4, name="plain")
print(json.dumps(found))
"""


def started(number, workers, path, distribute="multi_worker"):
    path.mkdir()
    task = {"type": "worker", "index": number}
    described = json.dumps({"cluster": {"worker": workers}, "task": task})
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, distribute, path],
        cwd=ROOT,
        env=os.environ | {"TF_CONFIG": described, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path, workers = tmp_path_factory.mktemp("workers"), [free_address(), free_address()]
    processes = [started(number, workers, path / str(number)) for number in (0, 1)]
    processes.append(started(0, workers, path / "alone", "none"))
    found = []
    for process in processes:
        out, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
        found.append(json.loads(out.splitlines()[-1]))
    return found


@pytest.mark.parametrize("run", ["plain", "pgd", "resumed"])
def test_losses_are_those_of_one_process(results, run):
    first, second, alone = (found[run] for found in results)
    assert len(alone["losses"]) >= 11
    np.testing.assert_allclose(first["losses"], alone["losses"], rtol=1e-4)
    assert first["losses"] == second["losses"] and first["logs"] == second["logs"]
    np.testing.assert_allclose(first["weights"], alone["weights"], rtol=1e-3, atol=1e-5)


def test_all_workers_end_with_the_same_weights_and_statistics(results):
    first, second, _ = (found["normalised"] for found in results)
    assert first["weights"] == second["weights"]


def test_a_run_goes_on_from_what_the_first_worker_kept(results):
    assert [found["resumed"]["first"] for found in results] == [2, 2, 2]


def test_a_cluster_that_is_not_described_is_refused(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match='TF_CONFIG={"cluster".*; received none'):
        cluster.cluster()
    for text in (
        "{",
        "{}",
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
    ):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(InputError, match="received TF_CONFIG="):
            cluster.is_chief("multi_worker")


def test_what_needs_one_process_is_refused():
    with pytest.raises(InputError, match="--distribute: expected none with --adversarial=free"):
        TrainConfig(distribute="multi_worker", adversarial="free", train_epsilon=0.1)
    with pytest.raises(InputError, match="--distribute: expected one of none, mirrored"):
        EvaluateConfig(models=("m",), distribute="multi_worker")

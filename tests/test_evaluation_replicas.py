"""Two devices that share every batch find what one finds, to the last bit."""

import json

import pytest

from robust_keras.engine import Replicas

# Logical devices exist only if they are asked for before TensorFlow starts, hence a new process.
SCRIPT = """
import json, sys, threading
import keras
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path[:0] = ["."]
from robust_keras import serving
from robust_keras.attacks import PGD
from robust_keras.engine import subject
from robust_keras.runs import evaluation
from robust_keras.settings.config import EvaluateConfig

keras.utils.set_random_seed(0)
images = np.random.default_rng(0).uniform(size=(50, 6, 6, 1)).astype("float32")
model = keras.Sequential([keras.Input((6, 6, 1)), keras.layers.Conv2D(4, 3, activation="relu"),
                          keras.layers.Flatten(), keras.layers.Dense(3)])
labels = np.argmax(model(images), axis=1)
where = sys.argv[1]
np.savez(where + "/mine.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
model.save(where + "/model.keras")
serving.export(model, where + "/serving")

calls, original = set(), subject.Subject._attack
def spied(self, classifier, *arguments):
    main = threading.current_thread() is threading.main_thread()
    calls.add((threading.get_ident() if not main else 0, tf.constant(0.0).device[-5:]))
    return original(self, classifier, *arguments)
subject.Subject._attack = spied

def found(distribute):
    calls.clear()
    config = EvaluateConfig(
        models=(where + "/serving",), dataset=where + "/mine.npz",
        attacks=("pgd",), epsilons=(0.03,), batch_size=20, keep_examples=True,
        distribute=distribute)
    report, _, tables = evaluation.evaluate(config)
    value = json.loads(report.to_json())
    for part in value["models"]:
        part.pop("seconds")
        for attack in part["attacks"]:
            # An attack that stops early stops batch by batch, so its counts depend on the shares.
            for name in ("seconds", "gradient_evaluations", "forward_evaluations"):
                attack.pop(name)
    kept = [[(k, a.tobytes().hex()) for k, a in sorted(t.adversarial.items())]
            for t in tables.values()]
    return value["models"], kept, sorted(calls)

one, two = found("none"), found("mirrored")
devices = evaluation.distribution.devices("mirrored")
config = EvaluateConfig(
    models=(where + "/model.keras", where + "/serving"), dataset=where + "/mine.npz")
dataset = evaluation.data.load(config.dataset)
copies = evaluation.load_models(
    config, dataset.test, dataset.num_classes, devices=devices, seed=0)
def places(variables):
    raw = [v.value if isinstance(v, keras.Variable) else v for v in variables]
    return sorted({v.device[-5:] for v in raw})
print(json.dumps({
    "same": one[0] == two[0], "bits": one[1] == two[1], "kept": len(one[1][0]),
    "single": one[2], "shared": two[2],
    "placed": [[places(c.owner.variables) for c in each._classifiers] for each in copies],
}))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory, run_code):
    done = run_code(SCRIPT, tmp_path_factory.mktemp("replicas"))
    assert done.returncode == 0, done.output[-3000:]
    assert "retracing" not in done.output, "TensorFlow counts by code: see compiled.function"
    return json.loads(done.output.splitlines()[-1])


def test_two_devices_find_the_same_to_the_last_bit(results):
    assert results["same"] and results["bits"]
    assert results["kept"] > 5


def test_each_device_has_its_copy_and_its_thread(results):
    assert results["placed"] == [[["CPU:0"], ["CPU:1"]]] * 2
    # The main thread, which is 0 here, runs the audit's own attacks.
    shared = [call for call in results["shared"] if call[0]]
    assert {device for _, device in shared} == {"CPU:0", "CPU:1"}
    assert len(shared) == len({thread for thread, _ in shared}), "a thread stays on its device"
    assert results["single"] == [[0, "CPU:0"]]


def test_one_device_a_classifier():
    with pytest.raises(ValueError, match="`devices` must name one device a classifier"):
        Replicas([object(), object()])

"""Adversarial training under MirroredStrategy: the loss of one replica, with a noise for each."""

import json

import pytest

# Logical devices exist only if they are asked for before TensorFlow starts, hence a new process.
SCRIPT = """
import json, sys
import keras
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path[:0] = [".", "tests"]
from robust_keras.training.adversarial import AdversarialSettings, AdversarialTraining
from robust_keras.training import workers
from robust_keras.training.catastrophic_overfitting import CatastrophicOverfittingGuard

half = np.random.default_rng(0).uniform(size=(8, 6, 6, 1)).astype("float32")
images = np.concatenate([half, half])  # both replicas get the same
labels = np.tile(np.arange(8) % 3, 2)

def trained(strategy, penalty=0.0, **settings):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = keras.Sequential([
            keras.layers.Input((6, 6, 1)), keras.layers.Flatten(),
            keras.layers.Dense(7, activation="tanh"), keras.layers.BatchNormalization(),
            keras.layers.Dense(3)])
        model = AdversarialTraining(
            model, AdversarialSettings(epsilon=0.1, warm_up_epochs=1, **settings), batch_size=16,
            gradient_penalty=penalty)
        model.compile(keras.optimizers.SGD(0.1), jit_compile=False,
                      loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    guard = CatastrophicOverfittingGuard(images, labels, epsilon=0.1)
    return model, model.fit(images, labels, batch_size=16, epochs=3, shuffle=False, verbose=0,
                            callbacks=[*workers.prepare(model, (6, 6, 1)), guard]).history

results = {}
for name, settings in {
    "pgd": {"method": "pgd", "steps": 1, "random_start": False, "penalty": 5.0},
    "trades": {"method": "trades", "steps": 3, "step_ratio": 0.5},
}.items():
    one = trained(tf.distribute.get_strategy(), **settings)[1]
    model, two = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), **settings)
    local = model.distribute_strategy.experimental_local_results
    (mean,) = [v for v in model.non_trainable_variables if v.name == "moving_mean"]
    results["means"] = [values.numpy().tolist() for values in local(mean.value)]
    results[name] = {"one": one["loss"], "two": two["loss"], "probes": len(two["probe_accuracy"])}

@tf.function
def crafted():
    return model.distribute_strategy.run(lambda: model.craft(half, labels[:8]))
a, b = model.distribute_strategy.experimental_local_results(crafted())
results["noise_differs"] = float(np.mean(a.numpy() != b.numpy()))
try:
    trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), method="free")
except ValueError as error:
    results["free"] = str(error)
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results(run_code):
    done = run_code(SCRIPT)
    assert done.returncode == 0, done.output[-3000:]
    return json.loads(done.output.splitlines()[-1])


# trades needs a start beside the image, where its gradient is 0, so there the noise differs.
@pytest.mark.parametrize("method, tolerance", [("pgd", 1e-4), ("trades", 0.05)])
def test_two_replicas_have_the_losses_of_one(results, method, tolerance):
    assert results[method]["two"] == pytest.approx(results[method]["one"], rel=tolerance)
    assert results[method]["probes"] == 3


def test_moving_statistics_are_the_same_in_every_replica(results):
    # Of the last method, whose replicas have seen different noise.
    first, second = results["means"]
    assert first == second and any(first)


def test_every_replica_draws_its_own_noise(results):
    assert results["noise_differs"] > 0.1
    assert results["trades"]["two"][0] == pytest.approx(results["trades"]["one"][0], rel=1e-5)


def test_free_says_that_it_needs_one_replica(results):
    assert "free runs on one replica only. Received: 2 replicas" in results["free"]

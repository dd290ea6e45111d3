"""Pruning under MirroredStrategy: two logical CPUs keep the same masks, those of one CPU."""

import json

import pytest

# Logical devices exist only if they are asked for before TensorFlow starts, hence a new process.
SCRIPT = """
import json
import keras
import numpy as np
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
from robust_keras.training import pruning

images = np.random.default_rng(0).normal(size=(32, 6, 6, 4)).astype("float32")
labels = np.random.default_rng(1).integers(0, 3, 32)
schedule = pruning.polynomial_decay(0.0, 0.8, 1, 8, frequency=4)

def trained(strategy, pattern, epochs=2):
    with strategy.scope():
        model = keras.Sequential([
            keras.layers.Input((6, 6, 4)), keras.layers.Conv2D(5, 3), keras.layers.Flatten(),
            keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(3)])
        random = np.random.default_rng(2)
        model.set_weights([random.normal(size=w.shape) * 0.1 for w in model.get_weights()])
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), jit_compile=False,
                      loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    callback = pruning.PruneLowMagnitude(schedule, **pattern)
    # Outside of the strategy's scope, where a resuming program reads and assigns them.
    callback.set_model(model)
    for variable in callback.variables:
        variable.assign(keras.ops.convert_to_numpy(variable))
    model.fit(images, labels, batch_size=8, epochs=epochs, shuffle=False, verbose=0,
              callbacks=[callback])
    return model, callback

def replicas(variable):
    return [value.numpy() for value in variable.values]

def examined(pattern):
    two, mirrored = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), pattern)
    masks = [replicas(mask) for mask in mirrored.variables]
    kernels = [replicas(weight.value) for weight in two.trainable_weights if weight.ndim > 1]
    return two, masks, {
        "step": [int(value) for value in masks[0]],
        "masks_agree": all(len(m) == 2 and (m[0] == m[1]).all() for m in masks),
        "kernels_agree": all(len(k) == 2 and (k[0] == k[1]).all() for k in kernels),
        "zeros": all((k[~m] == 0).all() for m, k in zip(masks[1:], kernels) for m, k in zip(m, k)),
        "sparsities": list(pruning.layer_sparsities(two).values()),
    }

_, _, pattern = examined({"sparsity_m_by_n": (2, 4)})
two, masks, scheduled = examined({})
one, single = trained(tf.distribute.get_strategy(), {})
scheduled["as_on_one"] = all((a.numpy() == b[0]).all() for a, b in zip(single.variables, masks))
scheduled["difference"] = max(
    float(np.abs(a - b).max()) for a, b in zip(one.get_weights(), two.get_weights()))
print(json.dumps([scheduled, pattern]))
"""


@pytest.fixture(scope="module")
def results(run_code):
    done = run_code(SCRIPT)
    assert done.returncode == 0, done.output[-3000:]
    found = json.loads(done.output.splitlines()[-1])
    return dict(zip(("schedule", "2 by 4"), found, strict=True))


@pytest.mark.parametrize("name", ["schedule", "2 by 4"])
def test_replicas_keep_the_same_masks_and_kernels(results, name):
    found = results[name]
    assert found["step"] == [8, 8]
    assert found["masks_agree"] and found["kernels_agree"] and found["zeros"]
    expected = {"schedule": 0.8, "2 by 4": 0.5}[name]
    assert found["sparsities"] == pytest.approx([expected] * 3, abs=0.08)


def test_two_replicas_prune_as_one_device_does(results):
    assert results["schedule"]["as_on_one"]
    assert results["schedule"]["difference"] < 1e-5

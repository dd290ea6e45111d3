"""The real packages, imported in any order in new processes: the same Keras, the same numbers."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
STATEMENTS = {
    "keras": "import keras",
    "tfmot": "import tensorflow_model_optimization",
    "cleverhans": "import cleverhans.tf2.attacks.fast_gradient_method",
    "robust_keras": "import robust_keras",
}
UNCOLLECTED = "import gc; gc.disable()"  # A sixth of what the imports take.
# Only tensorflow_model_optimization does anything to the choice of Keras, and what that is hangs
# on what came before it. So four orders stand for the twenty-four: one for each set of Keras and
# robust_keras before it, CleverHans once in each place.
ORDERS = (
    ("cleverhans", "tfmot", "robust_keras", "keras"),
    ("keras", "cleverhans", "tfmot", "robust_keras"),
    ("keras", "robust_keras", "tfmot", "cleverhans"),
    ("robust_keras", "tfmot", "cleverhans", "keras"),
)
# Orders that begin alike are forks of one process, which has imported that and done nothing else.
FORKS = """
import json, os, sys
statements, orders, numbers = map(json.loads, sys.argv[1:])

def follow(orders, imported):
    if imported == len(orders[0]):
        exec(numbers, {"order": orders[0]})
        return
    for name in dict.fromkeys(order[imported] for order in orders):
        if not os.fork():
            exec(statements[name], {})
            follow([order for order in orders if order[imported] == name], imported + 1)
            sys.stdout.flush()
            os._exit(0)
        if os.wait()[1]:
            os._exit(1)

follow(orders, 0)
"""
NUMBERS = """
import json, os
import keras, numpy as np, tensorflow as tf
from cleverhans.tf2.attacks.fast_gradient_method import fast_gradient_method
from robust_keras.layers import KernelActivation
from robust_keras.training import pruning

tf.config.run_functions_eagerly(True)  # Compiling takes longer than these few steps.
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.layers.Input((6,)), keras.layers.Dense(8), KernelActivation(), keras.layers.Dense(3)])
model.compile(keras.optimizers.SGD(0.1, momentum=0.9),
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
features = np.random.default_rng(0).normal(size=(8, 6)).astype("float32")
schedule = pruning.polynomial_decay(0.0, 0.75, 1, 4, frequency=1)
model.fit(features, np.arange(8) % 3, batch_size=2, epochs=1, shuffle=False, verbose=0,
          callbacks=[pruning.PruneLowMagnitude(schedule)])
attacked = fast_gradient_method(model, tf.constant(features), 0.1, np.inf)
print(json.dumps({
    "order": order,
    "keras": keras.__version__,
    "variable": os.environ.get("TF_USE_LEGACY_KERAS"),
    "model": type(model).__module__,
    "numbers": [float(keras.ops.sum(values)) for values in (
        model(features), model(attacked), *model.get_weights())],
    "sparsity": pruning.sparsity(model),
    "tf.keras": tf.keras.Model.__module__.partition(".")[0],
}))
"""


@pytest.fixture(scope="module")
def outcomes():
    """What a process prints that imports in an order and then computes, by the order."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", f"{UNCOLLECTED}\n{FORKS}"]
        + [json.dumps(given) for given in (STATEMENTS, ORDERS, NUMBERS)],
        env={**environment, "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = map(json.loads, done.stdout.splitlines())
    return {tuple(outcome.pop("order")): outcome for outcome in found}


def test_the_orders_cover_what_matters():
    before = [frozenset(order[: order.index("tfmot")]) - {"cleverhans"} for order in ORDERS]
    assert len(set(before)) == len(ORDERS) == 2**2
    assert {order.index("cleverhans") for order in ORDERS} == set(range(4))


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_the_same_keras_and_the_same_numbers(outcomes, order):
    found, expected = outcomes[order], outcomes[ORDERS[0]]
    assert found["keras"] == expected["keras"] and found["keras"].startswith("3.")
    assert found["model"].startswith("keras.src.")
    assert found["variable"] is None
    assert found["numbers"] == pytest.approx(expected["numbers"], rel=1e-6, abs=1e-6)
    assert found["sparsity"] == expected["sparsity"] == 0.75


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_tf_keras_stays_keras_3_where_robust_keras_came_first(outcomes, order):
    # Imported first, the package has made tf.keras Keras 2 before anyone could guard it.
    guarded = order.index("robust_keras") < order.index("tfmot")
    assert outcomes[order]["tf.keras"] == ("keras" if guarded else "tf_keras")


def test_training_loads_no_attack_and_imports_do_not_start_tensorflow():
    """Logical devices can be made, and processes be forked, only before it runs anything."""
    code = (
        f"{UNCOLLECTED}\n"
        "import robust_keras.training.adversarial, sys; print(*sys.modules)\n"
        "import robust_keras.runs.evaluation, robust_keras.runs.training_run, robust_keras.bounds\n"
        "from tensorflow.python.eager import context\n"
        "assert context.context()._context_handle is None"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    above = ("cleverhans", *(f"robust_keras.{n}" for n in ("attacks", "engine", "runs", "unusual")))
    assert "robust_keras.training.adversarial" in done.stdout.split()
    assert not [name for name in done.stdout.split() if name.startswith(above)]

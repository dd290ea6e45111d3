import keras
import layer_contract
import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from robust_keras import layers

NAMES = list(layer_contract.CASES)
# One of each way to have weights, a state or neither.
ON_TWO = ("kaf_free", "kwta", "mrelu", "softplus")

READ_EXPORTS = """
import importlib.util, sys
import numpy as np
import tensorflow as tf
# A served model needs TensorFlow alone.
assert importlib.util.find_spec("robust_keras") is None
results = {}
for name in sys.argv[2:]:
    images = tf.constant(np.load(f"{sys.argv[1]}/{name}.npy"))
    model = tf.saved_model.load(f"{sys.argv[1]}/{name}")
    with tf.GradientTape() as tape:
        tape.watch(images)
        outputs = model.serve(images)
        weights = np.random.default_rng(1).standard_normal(outputs.shape).astype("float32")
        total = tf.reduce_sum(weights * outputs)
    results[f"{name}_outputs"] = outputs.numpy()
    results[f"{name}_gradient"] = tape.gradient(total, images).numpy()
np.savez(f"{sys.argv[1]}/results.npz", **results)
"""

# Two logical CPUs must be configured before anything else touches TensorFlow.
TRAIN_ON_TWO = """
import sys
sys.path[:0] = ["tests"]
import numpy as np
import tensorflow as tf
devices = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(
    devices[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras
import layer_contract
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2

# A model of all of them beside each other.
def train():
    keras.utils.set_random_seed(0)
    factories, (shape, *_) = zip(*map(layer_contract.CASES.get, sys.argv[1:]))
    inputs = keras.Input(shape)
    hidden = [make()(keras.layers.Dense(6)(inputs)) for make in factories]
    hidden = keras.layers.Flatten()(keras.layers.Concatenate()(hidden))
    model = keras.Model(inputs, keras.layers.Dense(2)(hidden))
    model.compile(keras.optimizers.SGD(1e-4), "mse", jit_compile=False)
    images = layer_contract.images_for(shape, batch=8)
    targets = np.ones((8, 2), "float32")
    losses = model.fit(images, targets, batch_size=8, epochs=3, shuffle=False, verbose=0)
    weights = {weight.path: weight.numpy() for weight in model.weights}
    return losses.history["loss"], list(weights.values()), list(weights)

alone, alone_weights, paths = train()
with strategy.scope():
    together, weights, _ = train()
np.testing.assert_allclose(together, alone, rtol=1e-4)
for one, other, path in zip(alone_weights, weights, paths, strict=True):
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5, err_msg=path)
"""


@pytest.mark.parametrize("name", NAMES)
def test_round_trips(name, tmp_path):
    layer_contract.check_round_trips(name, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_batch_sizes(name):
    layer_contract.check_batch_sizes(name)


@pytest.mark.parametrize("name", NAMES)
def test_compiled_by_xla(name):
    layer_contract.check_compiled(name)


# Which half it is, is one line for all: the second is tried with one of each way.
@pytest.mark.parametrize(
    ("name", "policy"),
    [(name, "mixed_float16") for name in NAMES] + [(name, "mixed_bfloat16") for name in ON_TWO],
)
def test_mixed_precision(name, policy):
    layer_contract.check_mixed_precision(name, policy)


@pytest.mark.parametrize("name", NAMES)
def test_extreme_inputs(name):
    layer_contract.check_extreme_inputs(name)


@pytest.mark.parametrize(
    ("name", "policy"),
    [(name, "float32") for name in NAMES] + [(name, "mixed_float16") for name in ON_TWO],
)
def test_not_a_number(name, policy):
    layer_contract.check_not_a_number(name, policy)


@pytest.mark.parametrize("name", NAMES)
def test_integer_inputs_are_refused(name):
    factory, shape = layer_contract.CASES[name]
    message = "must be floating point. Received: inputs.dtype=int32"
    with pytest.raises(ValueError, match=message):
        factory()(np.ones((2, *shape), "int32"))
    with pytest.raises(ValueError, match=message):
        factory()(keras.Input(shape, dtype="int32"))


@pytest.fixture(scope="module")
def reloaded(tmp_path_factory, run_plain_code):
    """Outputs and gradients before export, and after reloading in another process."""
    directory = tmp_path_factory.mktemp("exports")
    expected = {}
    for name in NAMES:
        model = layer_contract.model_of(name)
        images = layer_contract.images_for(layer_contract.CASES[name][1])
        expected[name] = layer_contract.outputs_and_gradient(model, images)
        np.save(directory / f"{name}.npy", images)
        model.export(directory / name, verbose=False)
    finished = run_plain_code(READ_EXPORTS, directory, *NAMES, cwd=directory)
    assert finished.returncode == 0, finished.output
    return expected, np.load(directory / "results.npz"), directory


@pytest.mark.parametrize("name", NAMES)
def test_saved_model_in_another_process(name, reloaded):
    expected, results, _ = reloaded
    after = results[f"{name}_outputs"], results[f"{name}_gradient"]
    layer_contract.assert_same(after, expected[name], 1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_an_export_holds_no_operation_that_needs_xla(name, reloaded):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((reloaded[2] / name / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    assert len(nodes) > 10
    assert not [node.op for node in nodes if node.op.startswith("Xla")]
    assert not [node.name for node in nodes if node.attr["_XlaMustCompile"].b]


def test_two_replicas_train_as_one(run_code):
    finished = run_code(TRAIN_ON_TWO, *ON_TWO)
    assert finished.returncode == 0, finished.output


def test_kernel_activations_of_several_widths_run_eagerly_with_changing_batches():
    # Eager calls share compiled functions; a batch of another size must not blur the channels.
    for batch in (3, 5, 7):
        for channels in (2, 4, 6):
            layer = layers.KernelActivation()
            inputs = np.linspace(-3, 3, batch * channels, dtype="float32").reshape(batch, channels)
            assert layer(inputs).shape == (batch, channels)

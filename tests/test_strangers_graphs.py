"""A stranger's graph is read before it is loaded: what acts outside the model is refused."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from robust_keras import serving
from robust_keras.data import ImageSplit
from robust_keras.errors import InputError
from robust_keras.serving import graph_safety, harmless_operations, saved_model_edit
from robust_keras.training.distillation import load_teacher

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMAGES = np.random.default_rng(0).uniform(size=(3, 4, 4, 1)).astype("float32")
WEIGHTS = np.random.default_rng(1).normal(size=(16, 3)).astype("float32")
LOGITS = IMAGES.reshape(3, 16) @ WEIGHTS
SPLIT = ImageSplit(IMAGES, LOGITS.argmax(axis=1))
EXISTING = str(pathlib.Path(__file__).resolve())


def saved(directory, beside, held=None):
    """A linear model that also does something beside: `beside(images)` is a number to add."""
    module = tf.Module()
    module.weights, module.held = tf.Variable(WEIGHTS), held

    def predict(images):
        extra = tf.cast(beside(images), tf.float32)
        return tf.reshape(images, (-1, 16)) @ module.weights + extra

    spec = tf.TensorSpec((None, 4, 4, 1), tf.float32, name="images")
    module.predict = tf.function(predict, input_signature=[spec])
    tf.saved_model.save(module, str(directory), signatures=module.predict)
    return directory


def after(operation):
    """0.0, once the operation ran."""
    with tf.control_dependencies([operation]):
        return tf.constant(0.0)


def restored(_):
    raw = tf.raw_ops.RestoreV2(
        prefix="elsewhere", tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32]
    )
    return tf.reduce_sum(raw[0])


def saving(images):
    return after(
        tf.raw_ops.SaveV2(
            prefix="elsewhere", tensor_names=["a"], shape_and_slices=[""], tensors=[images]
        )
    )


ACTING = {
    "WriteFile": lambda x: after(tf.io.write_file("written-by-a-graph", "hello")),
    "ReadFile": lambda x: 0 * tf.strings.length(tf.io.read_file(EXISTING)),
    "MatchingFiles": lambda x: tf.size(tf.io.matching_files("/*")),
    "PyFunc": lambda x: tf.ensure_shape(tf.numpy_function(lambda v: v, [0.0], tf.float32), ()),
    "EagerPyFunc": lambda x: tf.ensure_shape(tf.py_function(lambda v: v, [0.0], tf.float32), ()),
    "PrintV2": lambda x: after(tf.print("hello", output_stream="file://printed-by-a-graph")),
    "RestoreV2": restored,
    "SaveV2": saving,
    "TextLineDataset": lambda x: tf.data.TextLineDataset(EXISTING).reduce(0, lambda a, _: a + 1),
    "TFRecordDataset": lambda x: tf.data.TFRecordDataset(EXISTING).reduce(0, lambda a, _: a),
}


@pytest.mark.parametrize("name", ACTING)
def test_what_acts_outside_the_model_is_refused_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path / "it", ACTING[name])
    with pytest.raises(InputError) as caught:
        serving.load(path)
    text = str(caught.value)
    assert name in text and "nothing was loaded" in text and "--trusted_operations=" in text
    assert "\n" not in text and str(path) in text
    assert [entry.name for entry in tmp_path.iterdir()] == ["it"]


def test_branches_and_functions_in_functions_are_read_too(tmp_path):
    @tf.function
    def inner(images):
        return tf.cond(
            tf.reduce_sum(images) > 1e9,
            lambda: tf.strings.length(tf.io.read_file(EXISTING)),
            lambda: tf.constant(0),
        )

    with pytest.raises(InputError, match="ReadFile in function .*works with files"):
        serving.load(saved(tmp_path, lambda images: inner(images)))


def test_a_trusted_operation_is_let_through(tmp_path):
    path = saved(tmp_path, lambda x: 0 * tf.strings.length(tf.io.read_file(EXISTING)))
    classifier = serving.load(path, trusted_operations=("ReadFile",))
    np.testing.assert_allclose(classifier.logits(IMAGES), LOGITS, atol=1e-5)
    teacher = load_teacher(path, SPLIT, LOGITS.shape[1], ("ReadFile",))
    np.testing.assert_allclose(teacher.logits(IMAGES), LOGITS, atol=1e-5)


def table(values, **keys):
    return tf.lookup.StaticHashTable(values, **keys)


def file_table(path):
    return table(
        tf.lookup.TextFileInitializer(
            str(path),
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
        ),
        default_value="",
    )


def length_in(held):
    return lambda x: tf.strings.length(held.lookup(tf.constant(0, tf.int64)))


def test_a_table_of_the_model_s_own_assets_is_fine_and_one_of_other_files_is_not(tmp_path):
    (tmp_path / "words.txt").write_text("four\n")
    held = file_table(tmp_path / "words.txt")
    path = saved(tmp_path / "it", length_in(held), held)
    np.testing.assert_allclose(serving.load(path).logits(IMAGES), LOGITS + 4, atol=1e-5)
    asset = next((path / "assets").iterdir())
    asset.unlink()
    asset.symlink_to(EXISTING)
    with pytest.raises(InputError, match="cp -rL.*words.txt, which leads to"):
        serving.load(path)
    message = saved_model_edit.read(path)
    message.meta_graphs[0].asset_file_def[0].filename = "../../secret"
    (path / "saved_model.pb").write_bytes(message.SerializeToString())
    asset.unlink()
    with pytest.raises(InputError, match="the asset '../../secret'"):
        serving.load(path)


def test_a_table_filled_from_a_name_in_the_graph_is_refused(tmp_path):
    (tmp_path / "words.txt").write_text("four\n")
    held = file_table(tmp_path / "words.txt")
    path = saved(tmp_path / "it", length_in(held), held)
    message = saved_model_edit.read(path)
    for function in message.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "InitializeTableFromTextFileV2":
                name = function.node_def.add(name="name", op="Const")
                name.attr["dtype"].type = tf.string.as_datatype_enum
                name.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(EXISTING))
                node.input[1] = "name:output:0"
    with pytest.raises(InputError, match="InitializeTableFromTextFileV2"):
        graph_safety.check(message, path)


def test_a_table_of_values_and_prints_to_the_terminal_are_fine(tmp_path):
    held = table(
        tf.lookup.KeyValueTensorInitializer(tf.constant([0], tf.int64), tf.constant(["five!"])),
        default_value="",
    )
    path = saved(
        tmp_path, lambda x: length_in(held)(x) + int(after(tf.print("seen")) is None), held
    )
    np.testing.assert_allclose(serving.load(path).logits(IMAGES), LOGITS + 5, atol=1e-5)


FORBIDDEN = {
    "Addons>Surprise": "not known to be harmless",
    "Skipgram": "works with files",
    "FixedUnigramCandidateSampler": "works with files",
    "DecodeProtoV2": "works with files",
    "ImmutableConst": "works with files",
    "WholeFileReaderV2": "works with files",
    "CreateSummaryFileWriter": "works with files",
    "DebugIdentityV3": "reaches other processes or machines",
    "RpcCall": "reaches other processes or machines",
    "RemoteCall": "reaches other processes or machines",
    "PyFuncStateless": "runs Python",
    "XlaCallModule": "runs Python or another program",
    "QueueDequeueV2": "reaches beyond the model",
    "Abort": "reaches beyond the model",
}


@pytest.fixture(scope="module")
def harmless(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models") / "harmless", lambda x: 0.0)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_is_not_known_to_be_harmless_is_refused_by_name(name, harmless):
    message = saved_model_edit.read(harmless)
    function = message.meta_graphs[0].graph_def.library.function[0]
    function.node_def.add(name="new", op=name)
    with pytest.raises(InputError, match=f"{name} in function .*{FORBIDDEN[name]}"):
        graph_safety.check(message, harmless)
    graph_safety.check(message, harmless, trusted=(name,))


def test_the_saver_s_own_operations_are_allowed_to_the_saver_only(tmp_path):
    message = saved_model_edit.read(saved(tmp_path, lambda x: 0.0))
    graph_safety.check(message, tmp_path)
    functions = message.meta_graphs[0].graph_def.library.function
    saver = next(f for f in functions if any(n.op == "SaveV2" for n in f.node_def))
    other = next(f for f in functions if "signature_wrapper" in f.signature.name)
    call = other.node_def.add(name="call", op="StatefulPartitionedCall")
    call.attr["f"].func.name = saver.signature.name
    with pytest.raises(InputError, match="SaveV2"):
        graph_safety.check(message, tmp_path)


def test_another_graph_beside_the_one_that_was_read_is_never_loaded(tmp_path):
    # TensorFlow prefers this file to saved_model.pb.
    path = saved(tmp_path / "it", lambda x: 0.0)
    other = saved(tmp_path / "other", lambda x: after(tf.io.write_file("no", "no")))
    (path / "saved_model.cpb").write_bytes((other / "saved_model.pb").read_bytes())
    np.testing.assert_allclose(serving.load(path).logits(IMAGES), LOGITS, atol=1e-5)


def test_weights_that_are_links_out_of_the_model_are_refused(tmp_path):
    path = saved(tmp_path / "it", lambda x: 0.0)
    (path / "variables").rename(tmp_path / "elsewhere")
    (path / "variables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="variables, which leads to"):
        serving.load(path)
    (tmp_path / "link").symlink_to(saved(tmp_path / "whole", lambda x: 0.0))
    np.testing.assert_allclose(serving.load(tmp_path / "link").logits(IMAGES), LOGITS, atol=1e-5)


def test_two_graphs_in_one_file_are_refused(tmp_path):
    path = saved(tmp_path, lambda x: 0.0)
    message = saved_model_edit.read(path)
    message.meta_graphs.add().CopyFrom(message.meta_graphs[0])
    (path / "saved_model.pb").write_bytes(message.SerializeToString())
    with pytest.raises(InputError, match="one graph; received 2 graphs"):
        serving.load(path)


def test_the_list_holds_no_name_that_speaks_of_files_or_python():
    doubtful = ("File", "Dataset", "Reader", "Py", "Save", "Restore", "Summary", "Send", "Recv")
    found = [name for name in harmless_operations.HARMLESS if any(w in name for w in doubtful)]
    assert not found and "Conv2D" in harmless_operations.HARMLESS


def endless(images):
    return tf.while_loop(lambda x: x < 2.0, lambda x: (x * 0.5,), (tf.reduce_sum(images) * 0.0,))[0]


@tf.custom_gradient
def endless_backwards(images):
    return images, lambda upstream: upstream + endless(upstream)


def endless_at_one_pixel(images):
    """Where an image is black but for one white pixel; none of the first that are tried is."""
    sums = tf.reduce_sum(images, axis=(1, 2, 3))
    return tf.cond(tf.reduce_any(sums == 1.0), lambda: endless(images), lambda: 0.0)


def test_a_graph_that_goes_round_for_ever_is_given_up(tmp_path, run_code):
    sane = str(saved(tmp_path / "sane", lambda x: 0.0))
    paths = [
        str(saved(tmp_path / "forwards", endless)),
        str(saved(tmp_path / "backwards", lambda x: tf.reduce_sum(endless_backwards(x)))),
        str(saved(tmp_path / "pixels", endless_at_one_pixel)),
    ]
    code = f"""
import numpy as np
from robust_keras import serving
from robust_keras.errors import InputError
images = np.full((40, 4, 4, 1), 0.5, np.float32)
images[-1] = 0.0
images[-1, 0, 0] = 1.0
examples = serving.Examples(images, np.arange(40) % 2, {WEIGHTS.shape[1]})
serving.load({sane!r}, examples=examples)  # What is slow the first time is done.
for path in {paths}:
    try:
        serving.load(path, examples=examples, time_limit=1.0)
    except InputError as error:
        print(error)
raise SystemExit(2)
"""
    done = run_code(code)
    assert done.returncode == 2, done.output
    lines = done.output.splitlines()
    assert len(lines) == 3, done.output
    assert all("within 1 s" in line and "--first_passes_seconds" in line for line in lines)


def test_a_keras_model_has_the_same_time_to_answer_or_any(tmp_path):
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.save(tmp_path / "model.keras")
    with pytest.raises(InputError, match="within 1e-06 s.*--first_passes_seconds"):
        serving.load(tmp_path / "model.keras", time_limit=1e-6)
    assert serving.load(tmp_path / "model.keras", time_limit=None).num_classes == 3


def test_models_load_under_the_caller_s_device_and_whatever_its_strategy(tmp_path):
    path = saved(tmp_path, lambda x: 0.0)
    with tf.device("CPU:0"), tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        np.testing.assert_allclose(serving.load(path).logits(IMAGES), LOGITS, atol=1e-5)


def test_a_message_is_only_read(tmp_path):
    path = saved(tmp_path, lambda x: 0.0)
    message = saved_model_edit.read(path)
    before = saved_model_pb2.SavedModel()
    before.CopyFrom(message)
    graph_safety.check(message, path)
    assert message == before

"""A program in C loads an export by its tag and runs every signature: no Python, no Keras."""

import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from robust_keras import layers, serving

IMAGES = np.random.default_rng(0).uniform(size=(4, 12, 12, 1)).astype("float32")
SOURCE = pathlib.Path(__file__).parent / "serve.c"
pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    package = pathlib.Path(tf.__file__).parent
    path = tmp_path_factory.mktemp("c") / "serve"
    libraries = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")
    command = ["gcc", "-O1", "-Wall", "-Werror", str(SOURCE), "-o", str(path)]
    command += [f"-I{package / 'include'}", *(str(package / name) for name in libraries)]
    # It reads the gigabyte of TensorFlow in a third of the time.
    faster = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []
    subprocess.run([*command, *faster, f"-Wl,-rpath,{package}"], check=True)
    return path


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(),
            layers.KernelActivation(),
            layers.KWinnersTakeAll(0.5),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
            layers.RejectionRule(threshold=0.4),
        ]
    )


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    names = ("cat", "dog", "emu")
    return serving.export(model, tmp_path_factory.mktemp("serving"), class_names=names)


def signature(exported, name):
    """Operation of the input, or None, and (operation, index) of the outputs by name."""
    message = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    (graph,) = message.meta_graphs
    assert list(graph.meta_info_def.tags) == ["serve"]
    told = graph.signature_def[name]
    inputs = [tensor.name.partition(":")[0] for tensor in told.inputs.values()]
    return (inputs or [None])[0], {key: tensor.name for key, tensor in told.outputs.items()}


def given_to_the_program(values, path):
    """Writes numbers, or a list of bytes; what the program is to be told of them."""
    if isinstance(values, list):
        path.write_bytes(b"".join(len(v).to_bytes(8, sys.byteorder) + v for v in values))
        return [str(tf.string.as_datatype_enum), str(path), str(len(values))]
    path.write_bytes(values.tobytes())
    kind, shape = str(tf.as_dtype(values.dtype).as_datatype_enum), map(str, values.shape)
    return [kind, str(path), ",".join(shape)]


def served(program, exported, names, values, tmp_path):
    """What one run of the program answers, of signatures of which the first takes the values."""
    inputs, named = zip(*(signature(exported, name) for name in names), strict=True)
    outputs = {key: tensor for told in named for key, tensor in told.items()}
    assert len(outputs) == sum(map(len, named))
    assert [name is None for name in inputs] == [False, *[True] * (len(names) - 1)]
    arguments = [inputs[0], *given_to_the_program(values, tmp_path / "values")]
    command = [str(program), str(exported), *arguments, *outputs.values()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    answers = {}
    for key, line in zip(outputs, done.stdout.splitlines(), strict=True):
        kind, size, content = line.split()
        dtype = tf.as_dtype(int(kind))
        if dtype == tf.string:
            answers[key] = [bytes.fromhex(value) for value in content.split(",")]
            continue
        answers[key] = np.frombuffer(bytes.fromhex(content), dtype.as_numpy_dtype)
        assert answers[key].nbytes == int(size)
    return answers


def check(found, logits):
    """That an answer is the one that the model gives by these logits."""
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found["probabilities"].reshape(4, 3), chances, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found["classes"], logits.argmax(1))
    np.testing.assert_allclose(found["confidence"], chances.max(1), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(found["rejected"], chances.max(1) < 0.4)
    assert found["valid"].all() and found["valid"].dtype == bool


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("serving_default", IMAGES),
        ("logits", IMAGES),
        ("uint8_images", np.round(255 * IMAGES).astype("uint8")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_images_are_answered_without_python(program, exported, model, name, values, tmp_path):
    found = served(program, exported, [name], values, tmp_path)
    images = values / np.float32(255) if values.dtype == np.uint8 else values
    logits = np.asarray(model(images))
    if name == "logits":
        np.testing.assert_allclose(found["logits"].reshape(4, 3), logits, rtol=0, atol=1e-5)
        return
    check(found, logits)


def test_files_are_answered_and_settings_told_without_python(program, exported, model, tmp_path):
    pixels = np.round(255 * IMAGES).astype("uint8")
    files = [tf.io.encode_png(picture).numpy() for picture in pixels]
    names = ("class_names", "confidence_rule", "rejection_rule")
    found = served(program, exported, ["encoded_images", *names], files, tmp_path)
    check(found, np.asarray(model(pixels / np.float32(255))))
    signatures = tf.saved_model.load(str(exported)).signatures
    told = {key: value.numpy() for name in names for key, value in signatures[name]().items()}
    assert {key: list(found[key]) for key in told} == {
        k: np.ravel(v).tolist() for k, v in told.items()
    }
    assert found["class_names"] == [b"cat", b"dog", b"emu"] and found["kind"] == [b"softmax"]
    assert {"temperature", "threshold"} <= set(found)
    tried = {"serving_default", "logits", "uint8_images", "encoded_images", *names}
    assert set(signatures) == tried

"""Requests as TensorFlow Serving takes them: warm-up records, and a service of its own protocol."""

import concurrent.futures
import json
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import grpc
import keras
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from google.protobuf.wrappers_pb2 import Int64Value
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from robust_keras import serving
from robust_keras.serving import warm_up

IMAGES = np.random.default_rng(0).uniform(size=(3, 6, 6, 1)).astype("float32")


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(4)]
    return keras.Sequential(layers)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return serving.export(model, tmp_path_factory.mktemp("serving"))


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Stands in for a server: the same protocol, answered by TensorFlow in this process."""

    def __init__(self, exported):
        self._signatures = tf.saved_model.load(str(exported)).signatures

    def Predict(self, request, context):
        given = {name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()}
        answer = predict_pb2.PredictResponse(model_spec=request.model_spec)
        found = self._signatures[request.model_spec.signature_name or "serving_default"](**given)
        for name, value in found.items():
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return answer


@pytest.fixture(scope="module")
def ask(exported):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(1))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(exported), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
    server.stop(None)


def test_a_client_asks_by_grpc_and_gets_what_keras_gives(ask, model):
    logits = np.asarray(model(IMAGES))
    answer = ask(warm_up.request("logits", IMAGES, "digits"))
    found = tf.make_ndarray(answer.outputs["logits"])
    np.testing.assert_allclose(found, logits, rtol=0, atol=1e-5)
    files = tf.stack([tf.io.encode_png(np.uint8(255 * image)) for image in IMAGES])
    answer = ask(warm_up.request("encoded_images", files))
    pixels = np.uint8(255 * IMAGES) / np.float32(255)
    classes = tf.make_ndarray(answer.outputs["classes"])
    np.testing.assert_array_equal(classes, np.asarray(model(pixels)).argmax(1))
    assert tf.make_ndarray(answer.outputs["valid"]).all()


def test_warm_up_records_are_requests_that_the_export_answers(exported, ask):
    path = exported / "assets.extra" / "tf_serving_warmup_requests"
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    requests = [log.predict_log.request for log in logs]
    assert [r.model_spec.signature_name for r in requests] == ["serving_default", "logits"]
    for request in requests:
        assert tf.make_ndarray(request.inputs["images"]).shape == (1, 6, 6, 1)
        assert ask(request).outputs


@pytest.mark.skipif(shutil.which("tensorflow_model_server") is None, reason="needs the server")
def test_tensorflow_serving_itself_answers_by_rest_and_grpc(exported, model, tmp_path):
    ports = [socket.socket() for _ in range(2)]
    for port in ports:
        port.bind(("127.0.0.1", 0))
    grpc_port, rest_port = (port.getsockname()[1] for port in ports)
    for port in ports:
        port.close()
    flags = [f"--port={grpc_port}", f"--rest_api_port={rest_port}", "--model_name=digits"]
    command = ["tensorflow_model_server", *flags, f"--model_base_path={exported.parent}"]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stderr=log) as server:
        try:
            url = f"http://127.0.0.1:{rest_port}/v1/models/digits"
            logits = np.asarray(model(IMAGES))
            body = {"signature_name": "logits", "inputs": {"images": IMAGES.tolist()}}
            found = json.loads(_patiently(f"{url}:predict", json.dumps(body).encode()))
            np.testing.assert_allclose(found["outputs"], logits, rtol=0, atol=1e-5)
            with grpc.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
                stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
                answer = stub.Predict(warm_up.request("logits", IMAGES, "digits"), timeout=60)
            found = tf.make_ndarray(answer.outputs["logits"])
            np.testing.assert_allclose(found, logits, rtol=0, atol=1e-5)
        finally:
            server.terminate()


def _patiently(url, body):
    for _ in range(120):
        try:
            with urllib.request.urlopen(url, body) as answer:
                return answer.read()
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(url)


def test_images_of_any_size_are_not_warmed_up_for(tmp_path):
    layers = [keras.Input((None, None, 1)), keras.layers.GlobalAveragePooling2D()]
    path = serving.export(keras.Sequential([*layers, keras.layers.Dense(2)]), tmp_path)
    assert not (path / "assets.extra" / warm_up.FILE).exists()
    signatures = tf.saved_model.load(str(path)).signatures
    assert "uint8_images" in signatures and "encoded_images" not in signatures


def test_the_configs_beside_the_operators_page_are_such_as_a_server_reads():
    path = pathlib.Path(__file__).parent.parent / "configs" / "serving" / "models.config"
    found = text_format.Parse(
        path.read_text(encoding="utf-8"), model_server_config_pb2.ModelServerConfig()
    )
    (model,) = found.model_config_list.config
    assert model.model_platform == "tensorflow" and model.base_path == f"/models/{model.name}"
    assert list(model.model_version_policy.specific.versions) == [1]
    assert dict(model.version_labels) == {"stable": 1}
    # Its protocol is in no package: names of session_bundle_config.proto, each an Int64Value.
    batching = (path.parent / "batching.config").read_text(encoding="utf-8")
    found = dict(re.findall(r"^(\w+) \{ (.*) \}$", batching, re.MULTILINE))
    assert len(found) == len([row for row in batching.splitlines() if not row.startswith("#")])
    names = {"max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"}
    assert set(found) <= names
    assert all(text_format.Parse(text, Int64Value()).value > 0 for text in found.values())

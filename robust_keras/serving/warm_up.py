"""Requests that TensorFlow Serving makes of a version before it takes it into service."""

import pathlib
from collections.abc import Sequence

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from robust_keras.serving.export_notes import DIRECTORY

FILE = "tf_serving_warmup_requests"
# Only what is asked of every day: a signature that nobody calls need not be quick at once.
_SIGNATURES = ("serving_default", "logits")
_GREY = 0.5


def write(model_directory: pathlib.Path, shape: Sequence[int | None]) -> None:
    """Writes one request a signature into a SavedModel that is being made.

    Args:
        model_directory: of the SavedModel.
        shape: (height, width, channels) of its images; where a side is open, nothing is written,
            as nobody knows what will be asked.
    """
    if None in shape:
        return
    directory = model_directory / DIRECTORY
    directory.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(directory / FILE)) as writer:
        for name in _SIGNATURES:
            log = prediction_log_pb2.PredictLog(request=request(name, tf.fill((1, *shape), _GREY)))
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString(deterministic=True))


def request(signature: str, images: tf.Tensor, model: str = "") -> predict_pb2.PredictRequest:
    """A request as TensorFlow Serving's PredictionService takes it.

    Args:
        signature: name of the signature.
        images: what it takes.
        model: name under which the server knows the model.
    """
    asked = predict_pb2.PredictRequest()
    asked.model_spec.name = model
    asked.model_spec.signature_name = signature
    asked.inputs["images"].CopyFrom(tf.make_tensor_proto(images))
    return asked

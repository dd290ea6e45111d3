"""The logits behind whatever a model ends in: a softmax, a sigmoid, or a single column."""

from typing import Any

import numpy as np
import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.serving.operation_kinds import TRANSPARENT
from robust_keras.serving.views.scores import are_probabilities, log_probabilities

_ACTIVATIONS = ("Softmax", "Sigmoid")
# What a layer without an activation ends in.
_AFFINE = ("Add", "AddV2", "BiasAdd", "Conv2D", "Einsum", "MatMul", "BatchMatMulV2")


def class_scores(outputs: Any, answers: Any) -> tf.Tensor:
    """The logits of at least two classes, from the one output of a model that is being traced.

    The input of a softmax is taken in place of its output, that of sigmoids too; a single logit z
    stands for two classes with the logits 0 and z. Of probabilities whose softmax is out of sight,
    as inside a function of the model's own, the logarithm serves.

    Args:
        outputs: symbolic float tensor (batch, columns).
        answers: array (images, columns), the model's answers to some images.

    Returns:
        Symbolic float32 tensor (batch, classes).

    Raises:
        InputError: a single column that may be a logit or a probability.
    """
    last = last_operation(outputs)
    if last.type in _ACTIVATIONS and _same_columns(last, outputs):
        scores = tf.reshape(last.inputs[0], [-1, outputs.shape[-1]])
    else:
        scores = _without_activation(outputs, last, np.asarray(answers, np.float64))
    scores = tf.cast(scores, tf.float32)
    return tf.concat([tf.zeros_like(scores), scores], axis=-1) if scores.shape[-1] == 1 else scores


def last_operation(tensor: Any) -> Any:
    """The operation that decides what a symbolic tensor means, behind those that change nothing."""
    operation = tensor.op
    while operation.type in TRANSPARENT:
        operation = operation.inputs[0].op
    return operation


def _same_columns(operation, outputs):
    """Whether each row of the output is one row of the activation."""
    return operation.type == "Sigmoid" or operation.inputs[0].shape[-1] == outputs.shape[-1]


def _without_activation(outputs, last, answers):
    if outputs.shape[-1] > 1:
        finite = answers[np.isfinite(answers).all(axis=-1)]
        known = len(finite) and are_probabilities(finite)
        return log_probabilities(tf.cast(outputs, tf.float32)) if known else outputs
    if last.type not in _AFFINE and np.all((answers >= 0.0) & (answers <= 1.0)):
        raise InputError.expected(
            "model",
            "a single output that is a logit, or a sigmoid of one",
            f"one in [0, 1] from the operation {last.type}, which may be either: end the model "
            "with keras.layers.Activation('sigmoid') or with the logit itself",
        )
    return outputs

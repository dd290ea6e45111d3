"""What the last outputs of a classifier mean: logits or probabilities, of how many classes."""

import dataclasses
import functools

import keras
import tensorflow as tf

from robust_keras.errors import InputError
from robust_keras.layers import keras_private
from robust_keras.serving.class_scores import last_operation
from robust_keras.serving.operation_kinds import TRANSPARENT
from robust_keras.serving.views.scores import log_probabilities

_PROBES, _CLOSE = 8, 1e-3  # images, and how near to one their outputs add up
_OPEN_SIDE = 32  # pixels, where a model takes images of any size
_PRODUCTS = {"MatMul", "Conv2D", "Einsum", "BatchMatMulV2"}
_SUMS = {"BiasAdd", "AddV2", "Add"}


@dataclasses.dataclass(frozen=True)
class Head:
    """How to read a classifier's outputs (batch, columns).

    One column is two classes: the logit, or the probability, of class 1.

    Args:
        activation: "linear", "softmax", "sigmoid", or "unknown" where the last operation tells
            nothing, such as a product with a temperature.
        columns: number of outputs, at least 1.
    """

    activation: str
    columns: int

    @property
    def gives_probabilities(self) -> bool:
        """Whether the outputs are probabilities."""
        return self.activation in ("softmax", "sigmoid")

    @property
    def classes(self) -> int:
        """Number of classes."""
        return max(self.columns, 2)

    @property
    def is_distribution(self) -> bool:
        """Whether the outputs tell one class among all; sigmoids of several columns do not."""
        return self.columns == 1 or self.activation != "sigmoid"

    def logits(self, outputs: tf.Tensor) -> tf.Tensor:
        """Logits of the outputs' shape: a softmax, or a sigmoid, of these gives the outputs.

        Keras' layers hand on what went into their softmax, so that nothing is lost where it
        saturates; a logarithm stands in where it is not there.
        """
        if not self.gives_probabilities:
            return outputs
        before = keras_private.logits_before(outputs)
        if before is not None and before.shape.is_compatible_with(outputs.shape):
            return tf.cast(before, tf.float32)
        if self.activation == "softmax":
            return _logarithm(outputs)
        return _logarithm(outputs) - _logarithm(1.0 - outputs)

    def class_logits(self, outputs: tf.Tensor) -> tf.Tensor:
        """Float32 logits (batch, classes), of two classes where there is one column."""
        logits = tf.cast(self.logits(outputs), tf.float32)
        return tf.concat([tf.zeros_like(logits), logits], -1) if self.columns == 1 else logits

    def believing(self, loss_takes: str | None) -> "Head":
        """This head, or where it is unknown the one that the loss was made for.

        Args:
            loss_takes: "logits", "probabilities" or None, see `loss_inputs.takes`.
        """
        if self.activation != "unknown" or loss_takes is None:
            return self
        names = {"logits": "linear", "probabilities": "sigmoid" if self.columns == 1 else "softmax"}
        return dataclasses.replace(self, activation=names[loss_takes])


def image_shape(classifier: keras.Model) -> tuple[int, ...]:
    """The shape of one image of a built classifier, functional, sequential or subclassed.

    Raises:
        InputError: it was never called on, or built for, one array of images.
    """
    try:
        shape = classifier.input_shape
    except AttributeError:  # a subclassed model knows what it was built with
        shape = (classifier.get_build_config() or {}).get("input_shape")
    one_array = isinstance(shape, tuple | list) and shape
    if not one_array or isinstance(shape[0], tuple | list | dict):
        raise InputError.expected(
            f"model '{classifier.name}'",
            "one array of images as input (call the model once on a batch before)",
            f"input shape {shape}",
        )
    return tuple(shape[1:])


def find_head(classifier: keras.Model, shape: tuple[int, ...] | None = None) -> Head:
    """The `Head` of a classifier, read off its own operations.

    Args:
        classifier: a built keras.Model, or a differentiable function of images.
        shape: of one image; None for the model's own.

    Raises:
        InputError: it has not one output of shape (batch, columns).
    """
    name = f"model '{classifier.name}'" if isinstance(classifier, keras.Model) else "the model"
    shape = image_shape(classifier) if shape is None else shape
    call = classifier
    if isinstance(classifier, keras.Model):
        call = functools.partial(classifier, training=False)
    outputs = _traced(call, shape).structured_outputs
    if not isinstance(outputs, tf.Tensor) or outputs.shape.rank != 2 or not outputs.shape[-1]:
        received = "several outputs" if not isinstance(outputs, tf.Tensor) else str(outputs.shape)
        raise InputError.expected(
            name, "one output of shape (batch, classes); make a keras.Model of that one", received
        )
    activation, columns = _activation(outputs), outputs.shape[-1]
    if activation == "unknown" and columns > 1 and _sums_to_one(call, shape):
        activation = "softmax"
    return Head(activation, columns)


def weighs_pixels(classifier: keras.Model) -> bool:
    """Whether a classifier multiplies pixels by weights as they are, before it scales anything.

    Args:
        classifier: a built keras.Model.
    """
    call = functools.partial(classifier, training=False)
    tensors = [_traced(call, image_shape(classifier)).inputs[0]]
    while tensors:
        for operation in tensors.pop().consumers():
            if operation.type in _PRODUCTS:
                return True
            if operation.type in TRANSPARENT:
                tensors.extend(operation.outputs)
    return False


def _traced(call, shape):
    """The graph of a function of float32 images."""
    spec = tf.TensorSpec((None, *shape), tf.float32)
    return tf.function(call, autograph=False).get_concrete_function(spec)


def _sums_to_one(call, shape):
    """Whether outputs are probabilities, whatever the images: noise is as good as any."""
    sides = [_OPEN_SIDE if side is None else side for side in shape]
    noise = tf.random.stateless_uniform((_PROBES, *sides), (0, 0), alg="philox")
    rows = tf.cast(call(noise), tf.float32).numpy()
    return bool((rows >= 0).all() and (abs(rows.sum(axis=-1) - 1) < _CLOSE).all())


def _activation(tensor):
    operation = last_operation(tensor)
    if operation.type in ("Softmax", "Sigmoid"):
        return operation.type.lower()
    if operation.type == "LogSoftmax" or operation.type in _PRODUCTS:
        return "linear"
    if operation.type in _SUMS and last_operation(operation.inputs[0]).type in _PRODUCTS:
        return "linear"
    return "unknown"


def _logarithm(probabilities):
    return log_probabilities(tf.cast(probabilities, tf.float32))

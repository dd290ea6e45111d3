"""Keras' private names: what has no public way, all in one place, as in Keras 3.15.

Whoever allows another Keras in pyproject.toml looks here. `tests/test_architecture.py` keeps these
names, and any other object's private ones, out of every other file.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf


def all_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """The model and all layers in it, however deep; `Model.layers` shows the outermost."""
    return model._flatten_layers()


def inner_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers directly inside a layer, custom ones included."""
    return layer._layers


def logits_before(outputs: tf.Tensor, otherwise: Any = None) -> Any:
    """What went into the softmax or sigmoid that outputs came out of, which Keras hands on."""
    return getattr(outputs, "_keras_logits", otherwise)


def origin_of(tensor: Any) -> Any:
    """(operation, node_index, tensor_index) of a symbolic tensor; None for numbers."""
    return getattr(tensor, "_keras_history", None)


def calls_of(operation: Any) -> list:
    """The nodes of a functional model at which an operation was called."""
    return operation._inbound_nodes


def is_functional(model: keras.Model) -> bool:
    """Whether a model is a graph of layers and nothing else: no subclass with a call of its own."""
    return type(model).__name__ == "Functional"


def run_graph(model: keras.Model, inputs: Any, operation_fn: Callable) -> Any:
    """The outputs of a functional model, every operation of which is wrapped by a function."""
    outputs = model._run_through_graph(model._standardize_inputs(inputs), operation_fn)
    return outputs[0] if isinstance(outputs, list) and len(outputs) == 1 else outputs


def count_loss(model: keras.Model, loss: tf.Tensor, images: tf.Tensor) -> None:
    """Adds a batch's mean loss of so many images to what Keras tells as "loss"."""
    model._loss_tracker.update_state(loss, sample_weight=images)


def call_higher_better(metric: keras.metrics.Metric) -> None:
    """Has Keras' callbacks take higher values of a metric for better ones."""
    metric._direction = "up"


def moving_averages_of(optimizer: keras.optimizers.Optimizer) -> list | None:
    """An optimizer's averages, in the order of the trainable variables; None unless built."""
    return getattr(optimizer, "_model_variables_moving_average", None)


def is_called_by_fit(arguments: Mapping[str, Any]) -> bool:
    """Whether `Model.evaluate` with these keyword arguments was called by `Model.fit`."""
    return bool(arguments.get("_use_cached_eval_dataset"))


def fit_over_workers(model: keras.Model, batch: Any) -> None:
    """Has `fit` and `evaluate` of a model run under `MultiWorkerMirroredStrategy`.

    Keras 3.15 fails there twice (keras issue 20585): it reduces a first batch to build from, and
    averages numbers as if they had a first axis.

    Args:
        model: compiled; its `steps_per_execution` is 1.
        batch: arrays like those of a batch, of any numbers, to build metrics from.
    """
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=batch)
    model._maybe_symbolic_build = lambda **_: None

    def make_train_function(force=False):
        if model.train_function is None or force:
            model.train_function = _over_workers(model.distribute_strategy, model.train_step)

    def make_test_function(force=False):
        if model.test_function is None or force:
            model.test_function = _over_workers(model.distribute_strategy, model.test_step)

    model.make_train_function = make_train_function
    model.make_test_function = make_test_function


def _over_workers(strategy, step):
    @tf.function(reduce_retracing=True)
    def stepped(batch):
        logs = strategy.run(step, args=(batch,))
        return {name: strategy.reduce("MEAN", value, axis=None) for name, value in logs.items()}

    return lambda iterator: stepped(next(iterator))

"""One training over several replicas: every one has the same weights, and one process writes."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from robust_keras import cluster
from robust_keras.layers import keras_private


def is_over_workers(model: keras.Model) -> bool:
    """Whether a model was built in the scope of a strategy over several processes."""
    strategy = model.distribute_strategy
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def prepare(model: keras.Model, image_shape: tuple[int, ...]) -> list[keras.callbacks.Callback]:
    """Has `fit` run over several replicas, in one process or many; nothing changes for one.

    Args:
        model: built and compiled, with labels (batch,) of whole numbers.
        image_shape: of one image.

    Returns:
        The callbacks that must come before all others.
    """
    if is_over_workers(model):
        images = tf.zeros((2, *image_shape))
        keras_private.fit_over_workers(model, (images, tf.zeros((2,), tf.int64)))
    return [OneState()] if model.distribute_strategy.num_replicas_in_sync > 1 else []


def shared_start(model: keras.Model, variables: Sequence, initial_epoch: int) -> int:
    """Gives every process what the first one has restored: the epochs done, and the variables.

    Only the first process needs the files of the run. Bits arrive as they are: what the others add
    to a value is -0.0, which leaves 0.0 and -0.0 as they were.

    Args:
        model: the model that is trained.
        variables: everything that a checkpoint restores.
        initial_epoch: epochs done, as this process has found them.

    Returns:
        The epochs done, as the first process has found them.
    """
    if not is_over_workers(model):
        return initial_epoch
    strategy = model.distribute_strategy
    epochs = int(_of_first(strategy, tf.constant(initial_epoch, tf.int64)))
    if epochs:
        for variable in variables:
            raw = variable.value if isinstance(variable, keras.Variable) else variable
            variable.assign(_of_first(strategy, tf.convert_to_tensor(raw)))
    return epochs


def share(model: keras.Model) -> tuple[int, int] | None:
    """Which part of each batch this process keeps, (place, of so many); None for all of it.

    TensorFlow deals out the parts of several replicas a process in another order, so these are
    read whole.
    """
    worker = cluster.this_worker() if is_over_workers(model) else None
    if worker is None or model.distribute_strategy.num_replicas_in_sync != worker.count:
        return None
    return worker.place, worker.count


def leave_together(strategy: tf.distribute.Strategy) -> None:
    """Waits until all processes are here: one that has gone is taken for one that has died."""
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        tf.function(lambda: strategy.reduce("SUM", strategy.run(tf.zeros, ((),)), axis=None))()


def _of_first(strategy, value):
    """The first process' value of a tensor."""
    sent = value if value.dtype.is_floating else tf.cast(value, tf.int64)
    nothing = tf.fill(sent.shape, tf.constant(-0.0 if value.dtype.is_floating else 0, sent.dtype))
    is_chief = cluster.this_worker().is_chief
    local = strategy.num_replicas_in_sync // cluster.this_worker().count

    def of_replica(context):
        first = is_chief and context.replica_id_in_sync_group % local == 0
        return sent if first else nothing

    values = strategy.experimental_distribute_values_from_function(of_replica)
    return tf.cast(strategy.reduce("SUM", values, axis=None), value.dtype)


class OneState(keras.callbacks.Callback):
    """Averages over all replicas what each has counted by itself, as batch normalisation does.

    Weights are equal already, as gradients are summed before each step. Moving statistics are made
    equal at the end of an epoch, and before held-out images are looked at.
    """

    def set_model(self, model: Any) -> None:
        """Finds the variables."""
        super().set_model(model)
        self._averaged = [
            variable.value
            for variable in model.non_trainable_variables
            if tf.as_dtype(variable.dtype).is_floating
        ]
        self._means = tf.function(self._mean_values)

    def _mean_values(self):
        strategy = self.model.distribute_strategy
        values = strategy.run(lambda: [tf.identity(variable) for variable in self._averaged])
        return [strategy.reduce("MEAN", value, axis=None) for value in values]

    def _agree(self):
        if self._averaged:
            for variable, mean in zip(self._averaged, self._means(), strict=True):
                variable.assign(mean)

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Makes the statistics equal."""
        self._agree()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Makes the statistics equal."""
        self._agree()

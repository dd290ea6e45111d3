"""What several workers, each a process that sees a part of every batch, must agree on."""

import contextlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from robust_keras.errors import InputError
from robust_keras.layers import keras_private


def is_shared(strategy: tf.distribute.Strategy) -> bool:
    """Whether a strategy has replicas in other processes."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def from_chief(values: Sequence[ArrayLike]) -> list[np.ndarray]:
    """What the first worker holds, on every worker; without other workers the values themselves.

    Call it on all of them, in the scope of their strategy.

    Args:
        values: arrays of numbers; on all workers as many, of the same shapes and kinds.
    """
    strategy = tf.distribute.get_strategy()
    arrays = [np.asarray(value) for value in values]
    if not is_shared(strategy) or not arrays:
        return arrays

    def sent():
        context = tf.distribute.get_replica_context()
        first = context.replica_id_in_sync_group == 0
        wide = [tf.constant(a, tf.float64 if a.dtype.kind == "f" else tf.int64) for a in arrays]
        return [context.all_reduce("SUM", tf.where(first, w, tf.zeros_like(w))) for w in wide]

    # Every replica of this process has the same sum.
    received = [
        strategy.experimental_local_results(sums)[0].numpy()
        for sums in strategy.run(tf.function(sent, autograph=False))
    ]
    return [sums.astype(array.dtype) for sums, array in zip(received, arrays, strict=True)]


@contextlib.contextmanager
def over_workers(model: keras.Model, batches: tf.data.Dataset) -> Iterator[None]:
    """`model.fit` on several workers, inside the block; where there is one, nothing changes.

    Args:
        model: compiled, built in the scope of its strategy.
        batches: batches (images, labels) that it will be fitted to.

    Raises:
        InputError: another worker has ended.
    """
    if not is_shared(model.distribute_strategy):
        yield
        return
    batch = [np.zeros(s.shape, s.dtype.as_numpy_dtype) for s in batches.element_spec]
    try:
        with keras_private.fitting_over_workers(model, batch):
            yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.InternalError) as error:
        raise InputError(
            "--distribute=multi_worker: another worker has ended, so this one ends, too; start "
            f"all of them again and the run goes on ({str(error).splitlines()[0][:200]})"
        ) from error


class SameStatistics(keras.callbacks.Callback):
    """Gives all replicas the mean of their moving statistics, after each epoch and before a test.

    A replica's batch normalisation sees the replica's share of a batch only, and a file would hold
    what its first replica saw. This callback comes before callbacks that save or test.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shares the statistics."""
        self._share()

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Shares the statistics."""
        self._share()

    def _share(self):
        own = [v.value for v in self.model.non_trainable_variables if _is_own(v.value)]

        def averaged():
            context = tf.distribute.get_replica_context()
            is_first = context.replica_id_in_sync_group == 0
            for variable in own:
                value = variable.read_value()
                first = context.all_reduce("SUM", tf.where(is_first, value, tf.zeros_like(value)))
                # So that equal values stay as they are, to the bit.
                variable.assign(first + context.all_reduce("MEAN", value - first))

        if own:
            self.model.distribute_strategy.run(tf.function(averaged, autograph=False))


def _is_own(variable):
    """Whether each replica has a number of its own, which nothing else brings together."""
    none = tf.VariableAggregation.NONE
    return variable.dtype.is_floating and variable.aggregation == none

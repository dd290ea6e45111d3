"""From a name on the command line to a tf.distribute strategy."""

import numpy as np
import tensorflow as tf

from robust_keras import interruption
from robust_keras.errors import InputError
from robust_keras.settings import names


def _mirrored():
    """One replica a GPU; without GPUs one a logical CPU: a single one unless configured."""
    gpus = tf.config.list_logical_devices("GPU")
    devices = gpus or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def _multi_worker():
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    # TensorFlow takes SIGTERM for itself here, and goes on.
    interruption.answer_again()
    return strategy


STRATEGIES = names.table(
    names.DISTRIBUTIONS,
    {
        "none": tf.distribute.get_strategy,
        "mirrored": _mirrored,
        "multi_worker": _multi_worker,
    },
)


def devices(name: str) -> tuple[str | None, ...]:
    """The devices over which that strategy would spread a model, or None for TensorFlow's choice.

    Args:
        name: `none`, `mirrored`, or `multi_worker`: those of this process, which has joined.

    Returns:
        Tuple of names of devices, or of one None.

    Raises:
        InputError: for an unknown name.
    """
    if name == "none":
        return (None,)
    if name == "multi_worker":
        gpus = tf.config.list_logical_devices("GPU")
        return tuple(device.name for device in gpus) if len(gpus) > 1 else (None,)
    return tuple(strategy(name, batch_size=0).extended.worker_devices)


def strategy(name: str, *, batch_size: int) -> tf.distribute.Strategy:
    """The strategy of that name.

    Args:
        name: `none`, `mirrored`, or `multi_worker`, which waits until every process of TF_CONFIG is
            there, and must be asked for before anything else is done with TensorFlow.
        batch_size: images a step over all replicas.

    Returns:
        A `tf.distribute.Strategy`; build and compile the model in its `scope()`.

    Raises:
        InputError: for an unknown name, or a batch that the replicas cannot share equally. Unequal
            shares would weight images differently and retrace the step.
    """
    if name not in STRATEGIES:
        raise InputError.expected("--distribute", "one of " + ", ".join(STRATEGIES), name)
    chosen = STRATEGIES[name]()
    replicas = chosen.num_replicas_in_sync
    if batch_size % replicas:
        raise InputError.expected(
            "--batch_size", f"a multiple of the {replicas} replicas", batch_size
        )
    return chosen


class Exchange:
    """Tells every process of a cluster what each one has to say.

    Args:
        strategy: a `tf.distribute.MultiWorkerMirroredStrategy`.

    Example:
        told = Exchange(strategy)(b"this is the first of two")  # waits for the other
        assert told == [b"this is the first of two", b"and this the second"]
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self._strategy = strategy
        # Traced for each shape anew: a collective operation keeps the one that it began with.
        self._gathered = tf.function(lambda values: strategy.gather(values, axis=0))

    def __call__(self, content: bytes) -> list[bytes]:
        """What this and every other process says, in their order; waits for all.

        Raises:
            tf.errors.UnavailableError: a process has stopped.
        """
        lengths = self._rows(np.array([len(content)]))[:, 0]
        # Powers of two are few shapes.
        words = np.zeros(1 << int(max(lengths) // 8).bit_length(), np.int64)
        words.view(np.uint8)[: len(content)] = np.frombuffer(content, np.uint8)
        rows = zip(self._rows(words), lengths, strict=True)
        return [row.tobytes()[:length] for row, length in rows]

    def _rows(self, words):
        """What each process has, a row each; all its replicas say the same."""
        values = self._strategy.experimental_distribute_values_from_function(
            lambda _: tf.constant(words)
        )
        rows = self._gathered(values).numpy().reshape(-1, len(words))
        return rows[:: len(self._strategy.extended.worker_devices)]

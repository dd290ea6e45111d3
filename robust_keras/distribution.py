"""From a name on the command line to a tf.distribute strategy."""

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
        name: `none` or `mirrored`.

    Returns:
        Tuple of names of devices, or of one None.

    Raises:
        InputError: for an unknown name.
    """
    if name == "none":
        return (None,)
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

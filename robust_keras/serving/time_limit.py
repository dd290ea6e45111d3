"""A time limit for what a stranger's graph does first, as a graph may go round for ever."""

import queue
import threading

import tensorflow as tf
from tensorflow.python.eager import context

from robust_keras.errors import InputError

# Seconds. Loading and the first passes over a handful of images take a second or two.
FIRST_PASSES = 60.0


def within(seconds, name, function):
    """Calls a function, and gives up on it when the time is over.

    TensorFlow cannot stop a loop inside a graph. The function runs in a thread of its own, which is
    left behind if it does not return, and which ends with the process.

    Args:
        seconds: number > 0.
        name: of the model, for the error.
        function: called without arguments, on the device of the caller, outside any
            strategy, whose variables would not answer.

    Returns:
        What the function returned.

    Raises:
        InputError: the time is over.
        BaseException: whatever the function raised.
    """
    answers = queue.SimpleQueue()
    # TensorFlow keeps the device scope per thread.
    device = context.context().device_name or None

    def work():
        with tf.device(device):
            answers.put(_outcome(function))

    threading.Thread(target=work, daemon=True, name=f"first passes of {name}").start()
    try:
        value, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise InputError.expected(
            str(name),
            f"a model that loads and answers its first images within {seconds:g} s",
            "no answer: its graph may go round for ever; if it is only slow, raise "
            "--first_passes_seconds",
        ) from None
    if error is not None:
        raise error
    return value


def _outcome(function):
    try:
        return function(), None
    # Carried to the thread that waits, whatever it is.
    except BaseException as error:
        return None, error

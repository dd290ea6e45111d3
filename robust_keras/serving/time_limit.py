"""A time limit for what a stranger's graph does first, as a graph may go round for ever."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.eager import context

from robust_keras.errors import InputError

# Seconds. Loading and the first passes over a handful of images take a second or two.
FIRST_PASSES = 60.0
_PATIENCE = 0.5  # between two looks at the clocks
_BUSY = 10


def within(seconds: float | None, name: str, function: Callable) -> Any:
    """Calls a function, and gives up on it when the time is over.

    TensorFlow cannot stop a loop inside a graph. The function runs in a thread of its own, which is
    left behind if it does not return, and which ends with the process.

    Args:
        seconds: number > 0, of the clock and of this process' own work; ten times as many of the
            clock alone. None: no limit, and no thread.
        name: of the model, for the error.
        function: called without arguments, on the device of the caller, outside any
            strategy, whose variables would not answer.

    Returns:
        What the function returned.

    Raises:
        InputError: the time is over.
        BaseException: whatever the function raised.
    """
    if seconds is None:
        return function()
    answers: queue.SimpleQueue[tuple] = queue.SimpleQueue()
    # TensorFlow keeps the device scope per thread.
    device = context.context().device_name or None

    def work():
        with tf.device(device):
            answers.put(_outcome(function))

    threading.Thread(target=work, daemon=True, name=f"first passes of {name}").start()
    value, error = _awaited(answers, seconds, name)
    if error is not None:
        raise error
    return value


def _awaited(answers, seconds, name):
    """The outcome in the queue, or the InputError when the time is over."""
    clocks = time.monotonic, time.process_time
    begun = [clock() for clock in clocks]
    while True:
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=min(seconds, _PATIENCE))
        passed, worked = (clock() - start for clock, start in zip(clocks, begun, strict=True))
        # On a busy machine a graph may have had little of the time that passed.
        if passed >= seconds and (worked >= seconds or passed >= _BUSY * seconds):
            break
    raise InputError.expected(
        str(name),
        f"a model that loads and answers its first images within {seconds:g} s",
        "no answer: its graph may go round for ever; if it is only slow, raise "
        "--first_passes_seconds",
    )


def _outcome(function):
    try:
        return function(), None
    # Carried to the thread that waits, whatever it is.
    except BaseException as error:
        return None, error

"""Ctrl-C and SIGTERM: one line, the exit code that shells expect, never a traceback."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
_CODES = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}


class Terminated(KeyboardInterrupt):
    """SIGTERM; whatever ends in order after Ctrl-C does so after this, too."""


def end_the_process(stderr: int = 2) -> Callable:
    """From now on both signals end the process without unwinding.

    For imports, where unwinding ends in tracebacks of the libraries' own, and only while there is
    nothing that has to be put in order.

    Args:
        stderr: file descriptor for the line that says so.

    Returns:
        A dict from signal to the handler before.
    """

    def end(number, _):
        with contextlib.suppress(OSError):  # nobody listens
            os.write(stderr, b"interrupted\n" if number == signal.SIGINT else b"terminated\n")
        os._exit(_CODES[number])

    return _answer_by(end)


@contextlib.contextmanager
def ending_at_once(stderr: int = 2) -> Iterator[None]:
    """Within, `end_the_process`."""
    before = end_the_process(stderr)
    try:
        yield
    finally:
        _restore(before)


def answer_again() -> None:
    """Has both signals answered as Python was told, where a library has taken them since."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _CODES:
        handler = signal.getsignal(number)
        if handler is not None:
            signal.signal(number, handler)


@contextlib.contextmanager
def unwinding() -> Iterator[None]:
    """Within, Ctrl-C raises KeyboardInterrupt and SIGTERM `Terminated`, each once."""

    def unwind(number, _):
        for other in _CODES:
            if signal.getsignal(other) is unwind:
                signal.signal(other, signal.SIG_DFL)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    before = _answer_by(unwind)
    try:
        yield
    finally:
        _restore(before)


def _answer_by(handler):
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _CODES:
            # Whoever started the program may want it to go on, as nohup does.
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    return before


def _restore(handlers):
    for number, handler in handlers.items():
        signal.signal(number, handler)

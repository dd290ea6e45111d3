"""Standard output and error that may be closed, full or without a reader: a run goes on.

What a run makes is in its directory. That nobody reads what it prints any more (`| head`, a closed
terminal, a full disk behind a log) must not stop it half-way.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any


class ForgivingStream:
    """A text stream that writes nothing more once it cannot.

    Args:
        stream: the stream that it stands for.
        name: of the stream, for the line that tells of a loss.

    Attributes:
        lost: why nothing is written any more, an OSError, or None.
    """

    def __init__(self, stream: Any, name: str):
        self._stream = stream
        self._name = name
        self.lost = None

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes the text, if it can be."""
        with self._forgiving():
            self._stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Writes the lines, if they can be."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Flushes what was written, if it can be."""
        with self._forgiving():
            self._stream.flush()

    @contextlib.contextmanager
    def _forgiving(self):
        try:
            yield
        except OSError as error:
            self._lose(error)

    def _lose(self, error):
        """Lets everything from now on, and what is still buffered, vanish."""
        self.lost = error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        # A reader that has gone knows; a full disk nobody would think of.
        if error.errno != errno.EPIPE and self._name != "standard error":
            line = f"{self._name} can not be written to any more ({error.strerror}); going on"
            print(f"warning: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def forgiving() -> Iterator[None]:
    """Within, sys.stdout and sys.stderr are `ForgivingStream`s, whatever they were.

    A descriptor that is closed is opened on nothing: else the next file that is opened would get
    its number, and what libraries print would end up in that file.
    """
    _open_closed_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout = _prepared(sys.stdout, 1, "standard output")
    sys.stderr = _prepared(sys.stderr, 2, "standard error")
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = before


@contextlib.contextmanager
def errors_unseen() -> Iterator[None]:
    """Within, what libraries print to standard error, those in C++ too, vanishes."""
    sys.stderr.flush()
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        with open(os.devnull, "w") as text, contextlib.redirect_stderr(text):
            yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def _open_closed_descriptors():
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)


def _prepared(stream, number, name):
    if stream is None:
        stream = open(number, "w", encoding="utf-8", closefd=False)
    if hasattr(stream, "reconfigure"):
        # Bars and names of files hold characters that a terminal of another encoding lacks.
        stream.reconfigure(errors="backslashreplace")
    return ForgivingStream(stream, name)

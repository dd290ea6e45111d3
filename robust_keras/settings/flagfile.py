"""Flags from files: `--flagfile=PATH` is replaced by what the file says.

One flag a line, as on the command line; empty lines and those that begin with # or // say nothing.
"""

import errno
import os
import pathlib

from robust_keras.errors import InputError

_MOST_BYTES = 1 << 20
# Files that include others twice each would never come to an end.
_MOST_FILES = 100


def expand(arguments: list[str]) -> list[str]:
    """Arguments with every flag file replaced by its lines.

    Args:
        arguments: list of texts, without the program's name.

    Raises:
        InputError: a file that cannot be read, is no UTF-8 text, is too large or includes itself.
    """
    return list(_Expansion().lines(arguments, ()))


class _Expansion:
    """One command line; counts the files."""

    def __init__(self):
        self._files = 0

    def lines(self, arguments, within):
        """The arguments, with those of the files in them; `within` are the files around them."""
        remaining = iter(arguments)
        for argument in remaining:
            if argument == "--":
                yield from (argument, *remaining)
            elif argument in ("--flagfile", "-flagfile"):
                yield from self._file(next(remaining, ""), within)
            elif argument.startswith(("--flagfile=", "-flagfile=")):
                yield from self._file(argument.partition("=")[2], within)
            else:
                yield argument

    def _file(self, name, within):
        if not name.strip() or "\0" in name:
            received = name.strip() or "none"
            raise InputError.expected("--flagfile", "the path of a text file", received)
        path = pathlib.Path(os.path.expanduser(name))
        here = os.path.realpath(path)
        self._files += 1
        if here in within:
            raise InputError.expected("--flagfile", "a file that does not include itself", name)
        if self._files > _MOST_FILES:
            raise InputError.expected("--flagfile", f"at most {_MOST_FILES} files in all", name)
        lines = (line.strip() for line in _read(path, name).splitlines())
        flags = [line for line in lines if line and not line.startswith(("#", "//"))]
        yield from self.lines(flags, (*within, here))


def _read(path, name):
    """The text of a file; that of Windows' editors has a mark before it and other line ends."""
    try:
        if path.is_fifo() and not name.startswith("/dev/fd/"):
            raise OSError(errno.EINVAL, "a pipe")
        with path.open("rb") as stream:
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        expected = "a text file that can be read"
        raise InputError.expected("--flagfile", expected, f"{name} ({error.strerror})") from error
    if len(content) > _MOST_BYTES:
        raise InputError.expected("--flagfile", "a text file of at most 1 MiB", f"{name}, larger")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        received = f"{name}, with byte 0x{content[error.start]:02x} at {error.start}"
        expected = "a text file in UTF-8 (save it as UTF-8)"
        raise InputError.expected("--flagfile", expected, received) from error
    if "\0" in text:
        raise InputError.expected("--flagfile", "a text file in UTF-8", f"{name}, a binary file")
    return text

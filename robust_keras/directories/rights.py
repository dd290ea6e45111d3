"""Whether what a run is to read may be read."""

import os
from collections.abc import Iterator

from robust_keras.errors import InputError


def check_readable(path: str | os.PathLike, name: str, *, below: bool = False) -> None:
    """Raises InputError where a path's rights, or those on the way to it, keep it from being read.

    What does not exist passes: others say so in words of their own.

    Args:
        path: a file or a directory.
        name: what the error calls it.
        below: whether all that a directory holds is looked at, too.
    """
    for entry in _all_below(path) if below else (path,):
        try:
            _try(entry)
        except OSError as error:
            # What is not there, or no name that a disk takes, is told by who reads it.
            if isinstance(error, PermissionError):
                raise InputError.expected(
                    name,
                    "what may be read (change its rights, or run as who owns it)",
                    f"{os.fspath(entry)} ({error.strerror})",
                ) from error


def _try(path):
    if os.path.isdir(path):
        os.scandir(os.path.join(path, os.curdir)).close()
    elif os.path.isfile(path):
        os.close(os.open(path, os.O_RDONLY))
    else:
        os.stat(path)


def _all_below(path) -> Iterator[str]:
    yield path
    for directory, names, files in os.walk(path):
        yield from (os.path.join(directory, entry) for entry in sorted([*names, *files]))

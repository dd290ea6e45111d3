"""Writing that cannot be half done: a file or directory appears whole, or not at all.

What is written goes under a name of its own beside the place where it belongs, reaches the disk,
and is renamed. What a killed process leaves has a name that only this module gives, so that the
next start can tell it from everything else and remove it.
"""

import contextlib
import errno
import os
import pathlib
import re
import secrets
import shutil
from collections.abc import Iterator

from robust_keras.errors import InputError

_PREFIX = ".robust_keras-part-"
_LEFTOVER = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}(\.\w+)?")
_GO_ON = "then the same command goes on from here"
_ADVICE = {
    errno.ENOSPC: f"free some space, {_GO_ON}",
    errno.EDQUOT: f"free some of the quota, {_GO_ON}",
    errno.EFBIG: f"raise the limit on the size of files, {_GO_ON}",
    errno.EIO: f"have the disk checked, {_GO_ON}",
    errno.EROFS: f"make it writable, {_GO_ON}",
    errno.EMFILE: f"raise the limit on open files, {_GO_ON}",
    errno.ENAMETOOLONG: "choose a shorter path",
}
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
_OF_THE_PATH = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG)


def write(path: str | pathlib.Path, content: str | bytes) -> None:
    """Writes a file.

    Args:
        path: where to; an existing file is replaced, a link is replaced and not followed.
        content: bytes, or text that becomes UTF-8.

    Raises:
        InputError: it cannot be written; nothing is left of the attempt.
    """
    with writing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


def make_directory(path: str | pathlib.Path) -> None:
    """Creates a directory and its parents, where they are not there; waits until they are kept.

    Raises:
        OSError: one cannot be created.
    """
    path = pathlib.Path(path)
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for directory in missing:
        _synchronise_directory(directory.parent)


@contextlib.contextmanager
def writing(path: str | pathlib.Path, suffix: str = "") -> Iterator[pathlib.Path]:
    """A place to write a file or a directory to, which becomes `path` when the block ends.

    Args:
        path: where to; a file there is replaced.
        suffix: how the name of the place must end, for those who go by that.

    Yields:
        A `pathlib.Path` in the same directory, where nothing is yet.

    Raises:
        InputError: it cannot be written; nothing is left of the attempt.

    Example:
        >>> with writing(directory / "model.keras", ".keras") as temporary:
        ...     model.save(temporary)
    """
    path = pathlib.Path(path)
    temporary = path.with_name(_PREFIX + secrets.token_hex(8) + suffix)
    try:
        with reasons(path):
            yield temporary
            _synchronise(temporary)
            os.replace(temporary, path)
            _synchronise_directory(path.parent)
    except BaseException:
        _remove(temporary)
        raise


@contextlib.contextmanager
def reasons(path: str | pathlib.Path, *, only_disk: bool = False) -> Iterator[None]:
    """Turns whatever keeps a file from being written or read into an InputError of one line.

    Args:
        path: what the line is about.
        only_disk: whether only a disk that is full, broken or read-only counts; any other error
            then passes as it is.
    """
    try:
        yield
    except (InputError, BrokenPipeError):
        raise
    except Exception as error:
        number = _number(error, _OF_THE_DISK if only_disk else _OF_THE_DISK + _OF_THE_PATH)
        if number is None and not only_disk and isinstance(error, OSError):
            number = error.errno
            if number is None:
                raise InputError.expected(str(path), "a place for files", error) from error
        if number is None:
            raise
        advice = _ADVICE.get(number, f"mend that, {_GO_ON}")
        if only_disk:
            path = getattr(error, "filename", None) or path
        raise InputError.expected(
            str(path), "a place that can be written to", f"{os.strerror(number)}: {advice}"
        ) from error


def _number(error, numbers):
    """Which of the numbers of the operating system's errors is behind an exception, or None.

    Libraries that write by C++ tell the reason in words only.
    """
    while error is not None:
        if getattr(error, "errno", None) in numbers:
            return error.errno
        for number in numbers:
            if os.strerror(number) in str(error):
                return number
        error = error.__cause__ or error.__context__
    return None


def remove_leftovers(directory: pathlib.Path) -> None:
    """Removes what a killed process was writing in a directory, and nothing else.

    Args:
        directory: that no other process is writing to; need not exist.

    Raises:
        InputError: one cannot be removed.
    """
    directory = pathlib.Path(directory)
    if not directory.is_dir():
        return
    with reasons(directory):
        for entry in list(directory.iterdir()):
            if is_leftover(entry.name):
                _remove(entry)


def is_leftover(name: str) -> bool:
    """Whether a file's name is one that only this module gives."""
    return _LEFTOVER.fullmatch(name) is not None


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    # Where nothing was written yet there is nothing to remove.
    with contextlib.suppress(OSError):
        path.unlink()


def _synchronise(path):
    """Waits until a file, or a directory and all in it, is on the disk."""
    if not path.is_dir():
        with open(path, "rb+") as stream:
            os.fsync(stream.fileno())
        return
    for entry in path.iterdir():
        _synchronise(entry)
    _synchronise_directory(path)


def _synchronise_directory(path):
    # Some file systems know no such thing as a directory that waits to be written, and above our
    # own there are some that may not be read.
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

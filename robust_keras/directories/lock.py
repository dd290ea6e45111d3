"""One process at a time in a directory."""

import atexit
import contextlib
import json
import os
import pathlib
import platform
import time
from typing import Any

from robust_keras.directories.whole_files import reasons
from robust_keras.errors import InputError

try:
    import fcntl
# Windows has none; there the process that is named in the file decides.
except ImportError:
    fcntl = None  # type: ignore[assignment]

NAME = ".robust_keras.lock"

# Path of each directory that this process owns -> the open file that says so.
_held: dict[pathlib.Path, Any] = {}


def acquire(directory: pathlib.Path) -> None:
    """Makes this process the owner of a directory until it ends or `release` is called.

    The owner is kept in a file: its process id, start time and machine, and holds a lock of the
    operating system on it, which goes when the process dies, however it dies.

    Args:
        directory: `pathlib.Path` of an existing directory.

    Raises:
        InputError: another process owns it.
    """
    key = _key(directory)
    if key in _held:
        return
    with reasons(directory):
        _held[key] = _opened(pathlib.Path(directory))
    atexit.register(release, directory)


def check(directory: pathlib.Path) -> None:
    """Raises InputError if another process owns the directory; writes nothing."""
    path = pathlib.Path(directory) / NAME
    if _key(directory) in _held or not path.is_file():
        return
    with reasons(path):
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        _refuse_owner(directory, handle)
    finally:
        os.close(handle)


def release(directory: pathlib.Path) -> None:
    """Gives the directory up, if this process owns it."""
    handle = _held.pop(_key(directory), None)
    if handle is None:
        return
    # A directory that somebody deleted meanwhile has no owner either.
    with contextlib.suppress(OSError):
        (pathlib.Path(directory) / NAME).unlink()
    os.close(handle)


def _key(directory):
    # A child process owns nothing that its parent does.
    return os.getpid(), os.path.realpath(directory)


def _opened(directory):
    """The open file that makes this process the owner."""
    path = directory / NAME
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            _refuse_owner(directory, handle)
            # The owner before may have deleted the file between these two calls.
            if _is_file_at(handle, path):
                _sign(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_file_at(handle, path):
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _refuse_owner(directory, handle):
    """Takes the operating system's lock; InputError where somebody else has it."""
    is_ours = locked(handle)
    owner = _owner(handle)
    elsewhere = owner.get("machine", platform.node()) != platform.node()
    if is_ours is False or (is_ours is None and not elsewhere and _alive(owner)):
        raise InputError.expected(
            "--output_dir",
            "a directory that no other process is using (wait for it, or choose another)",
            f"{directory}, in use{_described(owner)}",
        )
    if elsewhere:
        # Not every network file system tells one machine of the other's locks.
        raise InputError.expected(
            "--output_dir",
            f"a directory that no other machine is using (if that process has ended, delete "
            f"{pathlib.Path(directory) / NAME})",
            f"{directory}, in use{_described(owner)}",
        )


def locked(handle: int) -> bool | None:
    """Whether the lock on an open file could be taken; None where the file system has none.

    It goes when the file is closed, or the process dies, however it dies.

    Args:
        handle: file descriptor.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _sign(handle):
    owner = {
        "process": os.getpid(),
        "process_started": _started(os.getpid()),
        "machine": platform.node(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(owner).encode(), 0)


def _owner(handle):
    """What the file says of its owner; empty where it was not written to the end."""
    try:
        found = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _alive(owner):
    started = _started(owner.get("process"))
    return started is not None and started == owner.get("process_started")


def _started(process):
    """When a process of this machine began, in clock ticks since the start; None without one."""
    try:
        text = pathlib.Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    # The second field is a name in brackets that may hold spaces and brackets.
    return text.rpartition(")")[2].split()[19]


def _described(owner):
    parts = {"process": " by process {}", "machine": " on {}", "since": " since {}"}
    return "".join(text.format(owner[name]) for name, text in parts.items() if name in owner)

"""What a run has read and what it ran on, so that one that goes on can tell whether it changed."""

import hashlib
import importlib.metadata
import os
import pathlib
from collections.abc import Iterable

import robust_keras
from robust_keras.directories.whole_files import reasons

_LIBRARIES = ("tensorflow", "keras")


def files(paths: Iterable[pathlib.Path], *, outside: pathlib.Path) -> dict[str, str]:
    """The content of files and of all files in directories: the same bytes count as the same.

    Args:
        paths: of what a run reads; what does not exist is left out.
        outside: a directory whose content does not count, that of the run itself.

    Returns:
        A dict from each file's path to a hash.

    Raises:
        InputError: a file cannot be read.
    """
    own = os.path.realpath(outside)
    return {
        str(path): _hash(path)
        for root in paths
        for path in _files_below(pathlib.Path(root))
        if os.path.commonpath([own, os.path.realpath(path)]) != own
    }


def versions() -> dict[str, str]:
    """A dict from the name of each library that decides results to its version."""
    found = {"robust_keras": robust_keras.__version__}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        # Builds for one kind of processor have other names.
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def _files_below(root):
    if os.path.isfile(root):
        yield root
    seen = set()
    for directory, names, files in os.walk(root, followlinks=True):
        real = os.path.realpath(directory)
        names[:] = sorted(names) if real not in seen else []
        seen.add(real)
        paths = [pathlib.Path(directory) / name for name in sorted(files)]
        yield from (path for path in paths if path.is_file())


def _hash(path):
    with reasons(path), open(path, "rb") as stream:
        return hashlib.file_digest(stream, "blake2b").hexdigest()[:32]

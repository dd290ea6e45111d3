"""Where a run may write: a directory that is empty, or its own, and free of links that lead out."""

import errno
import os
import pathlib
from collections.abc import Collection, Iterable, Sequence

from robust_keras.directories import lock, record, whole_files
from robust_keras.directories.occupied import OccupiedError
from robust_keras.directories.whole_files import is_leftover, reasons
from robust_keras.errors import InputError

# What file managers, version control and disks put into directories that nobody has used.
_NOBODYS = {".DS_Store", ".gitignore", ".gitkeep", "lost+found", lock.NAME}


def check_writable(path: pathlib.Path) -> None:
    """Raises InputError unless `path` is a directory, or can become one, that may be written to."""
    nearest = _nearest_existing(path)
    if not nearest.is_dir():
        raise InputError.expected("--output_dir", "a directory", f"{path}, but {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError.expected(
            "--output_dir",
            "a directory that can be written to",
            f"{path}, but {nearest} is read-only",
        )


def _nearest_existing(path):
    wanted = path
    try:
        while not path.exists() and path != path.parent:
            path = path.parent
        names = [os.fsencode(name) for name in wanted.parts[len(path.parts) :]]
        if any(len(name) > _longest_name(path) for name in names):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        return path
    except OSError as error:
        raise InputError.expected(
            "--output_dir",
            "a path that the disk takes (choose another)",
            f"{wanted} ({error.strerror})",
        ) from error


def _longest_name(path):
    return os.pathconf(path, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255


def make_directory(path: pathlib.Path) -> None:
    """Creates `path` and its parents; an InputError says why where that cannot be done."""
    try:
        whole_files.make_directory(path)
    except OSError as error:
        raise InputError.expected(
            "--output_dir", "a directory that can be created", f"{path} ({error.strerror})"
        ) from error


def others(path: pathlib.Path, *, known: Collection[str] = ()) -> list[str]:
    """Names of what somebody else put into a directory that no run has begun in.

    Args:
        path: `pathlib.Path`; need not exist.
        known: names that do not count.
    """
    if not path.is_dir():
        return []
    with reasons(path):
        names = sorted(entry.name for entry in path.iterdir())
    return [n for n in names if n not in _NOBODYS and n not in known and not is_leftover(n)]


def refuse_others(path: pathlib.Path, names: Sequence[str]) -> None:
    """Raises OccupiedError where there are such names."""
    if names:
        more = ", ..." if len(names) > 3 else ""
        raise OccupiedError.expected(
            "--output_dir",
            "a new or empty directory, or an unfinished run (choose another)",
            f"{path}, which holds other files (it holds {', '.join(names[:3])}{more})",
        )


def check_kinds(
    directory: pathlib.Path, *, directories: Iterable[pathlib.Path], files: Iterable[pathlib.Path]
) -> None:
    """Raises InputError where a run's own file or directory is something else, or a link.

    Args:
        directory: `pathlib.Path` of the run.
        directories: paths below it that are directories, if they exist.
        files: paths below it that are files, if they exist.
    """
    paths = [(pathlib.Path(path), "directory") for path in directories]
    paths += [(pathlib.Path(path), "file") for path in [*files, directory / record.NAME]]
    for path, kind in paths:
        with reasons(path):
            found = _kind(path)
            if found not in (kind, "nothing"):
                raise InputError.expected(
                    str(path), f"a {kind} of the run (move what is there away)", f"a {found}"
                )
            if found == "file" and not os.access(path, os.R_OK):
                raise InputError.expected(str(path), "a file that can be read", "one that cannot")


def _kind(path):
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    if not path.exists():
        return "nothing"
    return "directory" if path.is_dir() else "file" if path.is_file() else "device or pipe"

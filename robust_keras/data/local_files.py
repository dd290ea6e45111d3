"""Data sets that are files or directories of the user's own, told apart by what is in them."""

import os

from robust_keras import suggestion
from robust_keras.data import array_file, class_folders
from robust_keras.data.datasets import ImageDataset
from robust_keras.directories.rights import check_readable
from robust_keras.errors import InputError

_SUFFIXES = (".npz", ".npy")


def is_local(name: str) -> bool:
    """Whether the name of a data set is a path: it exists, or can be nothing else.

    A directory without pictures and arrays is none, so that `kmnist` means TensorFlow Datasets'
    even beside a directory of that name that holds its prepared files.
    """
    path = os.path.expanduser(name)
    if os.path.isdir(path):
        bare = os.sep not in name
        return not bare or _holds_arrays(path) or class_folders.holds_pictures(path)
    looks_it = name.lower().endswith(_SUFFIXES) or name.startswith((".", "~", os.sep))
    return looks_it or "\\" in name or os.path.lexists(path)


def load(name: str) -> ImageDataset:
    """Loads the set at a path.

    Args:
        name: an `.npz` file, whatever its name ends in; or a directory of `.npy` files, or of one
            folder of pictures a class.

    Returns:
        An `ImageDataset` named by the path.

    Raises:
        InputError: there is no such file or directory, it cannot be read, or holds something else.
    """
    path = os.path.expanduser(name)
    check_readable(path, "--dataset")
    if os.path.isdir(path):
        return array_file.load(path) if _holds_arrays(path) else class_folders.load(path)
    if not os.path.isfile(path):
        # A pipe, a device, a link to nowhere: what is there, but holds no archive.
        there = os.path.lexists(path)
        raise InputError.expected(
            "--dataset",
            "an .npz file that exists, or a directory",
            f"{name}, which is neither" if there else name + suggestion.beside(path),
        )
    kind = _kind(path)
    if kind != "zip":
        raise InputError.expected(
            "--dataset",
            "a readable .npz file, as numpy.savez(PATH, x_train=..., y_train=..., x_test=..., "
            "y_test=...) writes it, or a directory with a folder of pictures a class",
            f"{path}, {kind}",
        )
    return array_file.load(path)


def _kind(path):
    try:
        return array_file.kind_of(path)
    except OSError as error:
        raise InputError.expected(
            "--dataset", "a file that may be read", f"{path} ({error.strerror})"
        ) from error


def _holds_arrays(path):
    try:
        return any(name.endswith(".npy") for name in os.listdir(path))
    except OSError as error:
        raise InputError.expected(
            "--dataset", "a directory that can be read", f"{path} ({error.strerror})"
        ) from error

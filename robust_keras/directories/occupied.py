"""A directory that is somebody else's, as against one that cannot be used at all."""

import itertools
import pathlib
from collections.abc import Callable
from typing import Any

from robust_keras.errors import InputError


class OccupiedError(InputError):
    """The directory is another run's, a finished one, or a user's own."""


def first_free(default: str, open_directory: Callable) -> Any:
    """The first of `default`, `default-2`, `default-3`, ... that is not occupied; prints another.

    Args:
        default: path of the directory that is used where none is named.
        open_directory: called with a `pathlib.Path`; raises OccupiedError where it is occupied.

    Returns:
        What `open_directory` returned.
    """
    wanted = pathlib.Path(default)
    for number in itertools.count(1):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            found = open_directory(path)
        except OccupiedError:
            continue
        if number > 1:
            print(f"directory     {path}, as {default} is taken")
        return found

"""A user's own attacks and sections of the report, from Python files."""

import importlib.util
import os
import pathlib
import sys
import traceback
from collections.abc import Iterable

from robust_keras.errors import InputError, first_line

# What was run is not run again: its classes would no longer be those that are registered.
_LOADED: set[pathlib.Path] = set()


def load_plugins(paths: Iterable[str]) -> None:
    """Runs Python files, which register what they define.

    Args:
        paths: of the files.

    Raises:
        InputError: a file is missing or cannot be run; the message names its line.
    """
    for path in paths:
        file = pathlib.Path(os.path.realpath(path))
        if not os.path.isfile(file):
            raise InputError.expected("--plugins", "a Python file that is there", path)
        if file not in _LOADED:
            _run(file, path)
            _LOADED.add(file)


def _run(file, path):
    name = f"robust_keras_plugin_{file.stem}_{len(_LOADED)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError.expected("--plugins", "a Python file, whose name ends in .py", path)
    module = importlib.util.module_from_spec(spec)
    # Where pickle and dataclasses look for the module of a class.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    # A stranger's file may raise anything, also while it is compiled, or ask to leave.
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        expected = "a Python file that runs and registers what it defines"
        received = f"{first_line(error)} in line {_line(error, file)}"
        raise InputError.expected(path, expected, received) from error


def _line(error, file):
    """The file's last line that is part of the error."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(file)]
    return lines[-1] if lines else "1"

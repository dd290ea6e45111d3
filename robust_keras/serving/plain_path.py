"""A path that TensorFlow reads as it is: `[1]` or a backslash in a path it takes for a pattern."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def plain_path(directory: pathlib.Path) -> Iterator[pathlib.Path]:
    """Another path to a SavedModel, which goes when the context ends.

    Args:
        directory: of the SavedModel; its path may hold any characters.

    Yields:
        A link to it in the directory for temporary files.

    Example:
        >>> with plain_path(export(model, directory / "plain")) as path:
        ...     loaded = tf.saved_model.load(str(path))
    """
    with tempfile.TemporaryDirectory() as scratch:
        link = pathlib.Path(scratch) / "model"
        link.symlink_to(os.path.realpath(directory))
        yield link

"""Notes kept beside an exported model, and whether they are still what was written."""

import contextlib
import hashlib
import json
import pathlib
from typing import Any

# The place for files that TensorFlow Serving shall not look at.
DIRECTORY = "assets.extra"
_MOST_BYTES = 2**24
_CHECKSUMS = "notes.sha256"  # as `sha256sum` writes and checks it


def write(model_directory: Any, notes: Any) -> None:
    """Writes the notes and their checksums into a SavedModel that is being made.

    Args:
        model_directory: `pathlib.Path` of the SavedModel.
        notes: mapping from a file's name to a value that JSON can hold; may be empty.
    """
    if not notes:
        return
    directory = model_directory / DIRECTORY
    directory.mkdir(exist_ok=True)
    lines = []
    for name, value in notes.items():
        content = (json.dumps(value, indent=1) + "\n").encode()
        (directory / name).write_bytes(content)
        lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (directory / _CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def read(model_directory: Any, name: str) -> Any:
    """The value of a note, or None where there is none, or not the one written.

    Args:
        model_directory: of the SavedModel, a path; or a file, in which there is none.
        name: of the note's file.

    Returns:
        Whatever JSON holds: a stranger's SavedModel may have a file of that name.
    """
    if name in changed(model_directory):
        return None
    try:
        with (pathlib.Path(model_directory) / DIRECTORY / name).open(encoding="utf-8") as file:
            return json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None


def changed(model_directory: Any) -> tuple[str, ...]:
    """Names of the notes that are not what was written, sorted; none where nothing is known.

    Args:
        model_directory: of the SavedModel, a path.
    """
    directory = pathlib.Path(model_directory) / DIRECTORY
    found = []
    # A stranger's SavedModel may have a file of that name and any content.
    with contextlib.suppress(OSError, ValueError):
        for line in (directory / _CHECKSUMS).read_text(encoding="utf-8").splitlines():
            checksum, _, name = line.partition("  ")
            if name and not _holds(directory / pathlib.PurePath(name).name, checksum):
                found.append(name)
    return tuple(sorted(found))


def _holds(path, checksum):
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == checksum
    except OSError:
        return False


def warnings(model_directory: Any) -> tuple[str, ...]:
    """Sentences on the notes that were changed since the export.

    Args:
        model_directory: of the SavedModel, a path.
    """
    return tuple(
        f"The file {DIRECTORY}/{name} beside the model is not what was exported with it; what it "
        "says is not used. Export the model again to have it."
        for name in changed(model_directory)
    )

"""What is left below a directory when the power goes: only what was brought to the disk."""

import os
import pathlib
import shutil


class Disk:
    """Remembers what was brought to the disk, and can lose everything else.

    A file's content counts from its own fsync on, its name from that of its directory. What is
    there at the beginning is on the disk.

    Args:
        root: a directory, whose files are small.
    """

    def __init__(self, root):
        self._root = pathlib.Path(root)
        self._contents = {}  # of files, by their number on the disk
        self._names = {}  # in directories, by theirs: {name: (number, whether a directory)}
        self._open = []  # numbers of what is open are given to nothing else
        for path in (self._root, *self._root.rglob("*")):
            self.synchronised(path)

    def synchronised(self, path):
        """Tells that `path` was brought to the disk just now."""
        self._open.append(os.open(path, os.O_PATH))
        number = os.stat(path).st_ino
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                self._names[number] = {e.name: (e.inode(), e.is_dir()) for e in entries}
        else:
            self._contents[number] = pathlib.Path(path).read_bytes()

    def lose_the_rest(self):
        """Leaves below the root what is on the disk."""
        number = self._root.stat().st_ino
        for path in self._root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._make(self._root, number, True)

    def _make(self, path, number, is_directory):
        if not is_directory:
            path.write_bytes(self._contents.get(number, b""))
            return
        path.mkdir(exist_ok=True)
        for name, entry in self._names.get(number, {}).items():
            self._make(path / name, *entry)
